"""The board "Capacity"."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.capacity import cost, queues, scaling, sufficiency, verdicts
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import CAPACITY


def capacity_board() -> build.Dashboard:
    """How many workers do I need, and how long until jobs wait too long?"""
    built = board(CAPACITY)
    for panel in (*verdicts.stats(), queues.table_of_queues(), parts.alerts_of(CAPACITY)):
        built.with_panel(panel)
    built.with_row(build.Row("How many are wanted, how many are there"))
    for scaled in (scaling.desired_and_actual(), scaling.shortage(), scaling.changes()):
        built.with_panel(scaled)
    rows = {
        "Whether they suffice": sufficiency.load,
        "How long it lasts": sufficiency.time_left,
        "What it costs": cost.graphs,
    }
    for title, panels in rows.items():
        built.with_row(build.Row(title))
        for graph in panels():
            built.with_panel(graph)
    return built
