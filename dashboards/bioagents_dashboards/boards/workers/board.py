"""The board "Workers"."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.workers import load, memory, soundness, tables, verdicts
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import WORKERS


def workers_board() -> build.Dashboard:
    """Does memory hold, is load even, who restarts and who is missing?"""
    built = board(WORKERS)
    first = (*verdicts.stats(), tables.workers(), tables.absent(), tables.configurations())
    for panel in (*first, parts.alerts_of(WORKERS)):
        built.with_panel(panel)
    rows = {
        "Memory": memory.graphs,
        "Load": load.graphs,
        "Who comes and goes": soundness.changes,
        "Heartbeats, clocks and threads": soundness.signs_of_life,
    }
    for title, panels in rows.items():
        built.with_row(build.Row(title))
        for graph in panels():
            built.with_panel(graph)
    return built
