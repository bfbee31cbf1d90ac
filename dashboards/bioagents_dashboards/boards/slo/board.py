"""The board "SLO"."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.slo import graphs, header
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import SLO
from bioagents_dashboards.queries.slo import Objective


def slo() -> build.Dashboard:
    """How much of the error budget is left, and how fast does it burn?"""
    built = board(SLO)
    for panel in (*header.stats(), header.late_queues(), header.dead_queues(), parts.alerts_of(SLO)):
        built.with_panel(panel)
    rows = {
        "Wait: jobs start in time": Objective.WAIT,
        "Success: jobs do not become dead letters": Objective.SUCCESS,
    }
    for title, objective in rows.items():
        built.with_row(build.Row(title))
        for graph in graphs.of(objective):
            built.with_panel(graph)
    return built
