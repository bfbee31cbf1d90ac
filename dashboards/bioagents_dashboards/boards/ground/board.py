"""The board "Redis and exporter"."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.ground import counts, exporter, header, redis
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import GROUND


def redis_and_exporter() -> build.Dashboard:
    """Is the ground under us sound, and can I believe these numbers?"""
    built = board(GROUND)
    for first in (*header.stats(), parts.alerts_of(GROUND)):
        built.with_panel(first)
    rows = {
        "The server behind it": redis.panels,
        "The exporter, copy by copy": exporter.copies,
        "What the numbers rest on": exporter.sources,
        "Counts on their way from the workers": counts.panels,
    }
    for title, panels in rows.items():
        built.with_row(build.Row(title))
        for panel in panels():
            built.with_panel(panel)
    return built
