"""The board "Fleet overview"."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.fleet import crew, graphs, header
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import FLEET


def fleet_overview() -> build.Dashboard:
    """Is anything wrong, where, since when?"""
    built = board(FLEET)
    alerts = parts.every_alert(width=12, height=8)
    for panel in (*header.stats(), header.queue_table(), alerts, crew.who_works_now()):
        built.with_panel(panel)
    rows = {
        "What changed": crew.what_changed,
        "How much waits": graphs.backlog,
        "How long it takes": graphs.times,
        "What fails": graphs.failures,
        "Who works": graphs.who_works,
    }
    for title, panels in rows.items():
        built.with_row(build.Row(title))
        for graph in panels():
            built.with_panel(graph)
    return built
