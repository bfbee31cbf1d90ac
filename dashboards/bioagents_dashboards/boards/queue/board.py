"""The board "Queue"."""

from __future__ import annotations

from collections.abc import Callable

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.boards.queue import failures, pace, standstill, tables, times, verdicts
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import QUEUE


def queue_board() -> build.Dashboard:
    """Why is this queue slow?"""
    built = board(QUEUE)
    alerts = parts.every_alert(width=24, height=5)
    for panel in (*verdicts.stats(), tables.work(), alerts, tables.standstill()):
        built.with_panel(panel)
    rows: dict[str, Callable[[], Panels]] = {
        "More comes than goes": pace.balance,
        "Too few hands": pace.hands,
        "How long jobs wait": times.waiting,
        "How long jobs run": times.running,
        "Jobs that nobody runs": standstill.graphs,
        "Failures": failures.graphs,
        "Dead letters": failures.dead_letters,
    }
    for title, panels in rows.items():
        built.with_row(build.Row(title))
        for graph in panels():
            built.with_panel(graph)
    return built
