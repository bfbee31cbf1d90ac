"""``bioagents``: finds the command and turns bad input into one line and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from bioagents_cli.commands import COMMANDS, Command
from bioagents_cli.errors import UsageError
from bioagents_cli.hints import did_you_mean
from bioagents_worker.version import __version__

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
PROGRAM: Final = "bioagents"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 found a problem, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def help_text() -> str:
    """What ``bioagents --help`` prints."""
    width = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:<{width}}  {command.summary}" for command in COMMANDS]
    return "\n".join(
        (
            f"usage: {PROGRAM} <command> [flags]",
            "",
            "Monitoring and alerting for fleets of Dramatiq workers on Redis.",
            "",
            "commands:",
            *lines,
            "",
            f"{PROGRAM} <command> --help explains a command, {PROGRAM} --version tells the version.",
            "",
            "example:",
            f"  {PROGRAM} exporter --redis.url redis://127.0.0.1:6379/0",
        )
    )


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in {"-h", "--help"}:
        print(help_text())  # noqa: T201 - what was asked for
        return 0
    if first == "--version":
        print(f"{PROGRAM} {__version__}")  # noqa: T201 - what was asked for
        return 0
    command = next((command for command in COMMANDS if command.name == first), None)
    if command is None:
        return _refuse(PROGRAM, _unknown(first))
    return _start(command, arguments[1:])


def _start(command: Command, arguments: list[str]) -> int:
    prog = f"{PROGRAM} {command.name}"
    try:
        return command.load()(arguments, prog)
    except UsageError as error:
        return _refuse(prog, str(error))


def _unknown(first: str) -> str:
    names = [command.name for command in COMMANDS]
    if not first:
        return f"no command given: expected {', '.join(names)}; see {PROGRAM} --help"
    kind = "flag" if first.startswith("-") else "command"
    known = ["--help", "--version"] if kind == "flag" else names
    return f"unknown {kind} {first!r}{did_you_mean(first, known)}: expected {', '.join(known)}"


def _refuse(prog: str, message: str) -> int:
    print(f"{prog}: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201 - the one line of the contract
    return BAD_INPUT
