"""``bioagents``: runs a command; bad input ends with one line and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from bioagents_cli.parsing import UsageError, did_you_mean
from bioagents_worker import __version__

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells report it
PROGRAM: Final = "bioagents"

Main = Callable[[list[str], str], int]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: where its ``main(argv, prog) -> int`` is, and which extra it needs."""

    name: str
    summary: str
    target: str  # package.module:function
    extra: str = ""  # of the distribution; empty: the base install is enough

    def load(self) -> Main:
        """Import the function; raises UsageError if a package that it needs is not installed."""
        module, _, function = self.target.partition(":")
        try:
            main: Main = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            if not self.extra or str(error.name).startswith("bioagents_"):
                raise
            install = f"pip install 'bioagents-monitor[{self.extra}]'"
            raise UsageError(f"the package {error.name} is not installed: expected {install}") from error
        return main


#: Imported only when they are called: ``bioagents --help`` must not need any extra.
COMMANDS: Final = (
    Command(
        "demo",
        "a whole fleet on this machine: Redis, workers, jobs, exporter",
        "bioagents_demo.command:main",
        "demo",
    ),
    Command(
        "exporter",
        "publish a fleet on /metrics for Prometheus",
        "bioagents_exporter.command:main",
        "exporter",
    ),
    Command("worker", "run the reference workers", "bioagents_demo.worker_command:main"),
    Command(
        "rules",
        "print the Prometheus rules, or a variant of them",
        "bioagents_alerts.command:main",
    ),
    Command(
        "dashboards", "install the dashboards in Grafana", "bioagents_dashboards.command:main", "dashboards"
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 found a problem, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def help_text() -> str:
    """The output of ``bioagents --help``."""
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
            f"{PROGRAM} <command> --help explains a command, {PROGRAM} --version prints the version.",
            "",
            "example:",
            f"  {PROGRAM} exporter --redis.url redis://127.0.0.1:6379/0",
        )
    )


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in {"-h", "--help"}:
        print(help_text())  # noqa: T201 - the requested output
        return 0
    if first == "--version":
        print(f"{PROGRAM} {__version__}")  # noqa: T201 - the requested output
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
    print(f"{prog}: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201 - the error message
    return BAD_INPUT
