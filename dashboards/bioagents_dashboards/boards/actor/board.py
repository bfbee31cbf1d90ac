"""The board "Actor"."""

from __future__ import annotations

from collections.abc import Callable

from grafana_foundation_sdk.builders import dashboard as build

from bioagents_dashboards.boards import parts
from bioagents_dashboards.boards.actor import failures, tables, times, verdicts
from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing.frame import board
from bioagents_dashboards.drawing.identity import ACTOR


def actor_board() -> build.Dashboard:
    """What fails, how, and since when?"""
    built = board(ACTOR)
    first = (*verdicts.stats(), failures.timeline(), tables.exceptions(), tables.actors())
    for panel in (*first, parts.alerts_of(ACTOR)):
        built.with_panel(panel)
    rows: dict[str, Callable[[], Panels]] = {
        "What fails, and how": failures.graphs,
        "What it leads to": failures.consequences,
        "How long attempts take": times.running,
        "How long jobs wait": times.waiting,
    }
    for title, panels in rows.items():
        built.with_row(build.Row(title))
        for graph in panels():
            built.with_panel(graph)
    return built
