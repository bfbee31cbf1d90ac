"""The commands of ``bioagents``, imported when they are called and not before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from bioagents_cli.errors import UsageError

Main = Callable[[list[str], str], int]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: where its ``main(argv, prog) -> int`` is, and which extra it needs."""

    name: str
    summary: str
    target: str  # package.module:function
    extra: str = ""  # of the distribution; empty: the base install is enough

    def load(self) -> Main:
        """The function; UsageError where the packages that it needs are not installed."""
        module, _, function = self.target.partition(":")
        try:
            main: Main = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            if not self.extra or str(error.name).startswith("bioagents_"):
                raise
            install = f"pip install 'bioagents-monitor[{self.extra}]'"
            raise UsageError(f"the package {error.name} is not installed: expected {install}") from error
        return main


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
    Command("worker", "run the reference workers", "bioagents_worker.command:main"),
    Command(
        "rules",
        "print the Prometheus rules, or a variant of them",
        "bioagents_alerts.command:main",
        "exporter",
    ),
    Command(
        "dashboards", "bring the dashboards into Grafana", "bioagents_dashboards.command:main", "dashboards"
    ),
)
