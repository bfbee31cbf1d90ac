"""The board "Fleet overview"."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import fleet_graphs, fleet_header
from bioagents_dashboards.boards.frame import board


def fleet_overview() -> build.Dashboard:
    """Is anything wrong, where, since when?"""
    built = board(
        "Fleet overview",
        uid="bioagents-fleet",
        description="Is anything wrong in a fleet of Dramatiq workers, where, and since when?",
    )
    for panel in (*fleet_header.stats(), fleet_header.queue_table(), fleet_header.alert_table()):
        built.with_panel(panel)
    graphs = {
        "How much waits": fleet_graphs.backlog,
        "How long it takes": fleet_graphs.times,
        "What fails": fleet_graphs.failures,
        "Who works": fleet_graphs.workers,
    }
    for title, panels in graphs.items():
        built.with_row(build.Row(title))
        for graph in panels():
            built.with_panel(graph)
    return built
