"""The command line: ``bioagents <command>``."""
