"""The board "Workers": a row of verdicts, who they are, memory, load, who comes and goes, heartbeats."""
