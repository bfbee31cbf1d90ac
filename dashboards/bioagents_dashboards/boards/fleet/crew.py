"""Who works, and what changed."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import WORKERS
from bioagents_dashboards.drawing.legends import BY_HOST, FLEET
from bioagents_dashboards.drawing.panels import (
    Target,
    Text,
    at_least,
    column,
    columns,
    graph_panel,
    opens,
    sort_by,
    table_panel,
)
from bioagents_dashboards.queries import crew, workers

NO_WORKER: Final = "no worker has reported"

_WORKER: Final = {"fleet": "Fleet", "host": "Host", "pid": "Process", "queues": "Queues"}


def who_works_now() -> table.Panel:
    """The busiest workers."""
    text = Text(
        "Busiest workers",
        "The ten workers that run the most jobs now. Normal: as many jobs as slots where jobs wait, less "
        "elsewhere; memory (the share of its limit) below 70 %. No slots: it drains. Click an id to see that "
        "worker alone.",
        NO_WORKER,
    )
    values = [crew.busiest(), crew.busiest_slots(), crew.busiest_memory()]
    panel = table_panel(text, [Target(value) for value in values], width=12, height=8)
    numbers = {"Value #A": "Running", "Value #B": "Slots", "Value #C": "Memory", "worker": "Id"}
    columns(panel, _WORKER | numbers, hide=("Time", "job", "version"))
    column(
        panel,
        "Memory",
        "percentunit",
        style.thresholds("transparent", (0.7, style.WARN), (workers.MEMORY_HIGH, style.BAD)),
    )
    _alone(panel)
    return sort_by(panel, "Running")


def what_changed() -> Panels:
    """Versions, starts, newcomers."""
    return [
        graph_panel(
            Text(
                "Workers by version",
                "Workers that take jobs, by the version of the application that they report. Normal: one "
                "line; during a deployment one falls as the other rises. Two that stay level are a "
                "deployment that stopped half-way.",
                "no worker takes jobs, or the rules are not loaded",
            ),
            [Target(workers.workers_by_version(), FLEET + " version {{version}}")],
            unit="short",
            width=7,
        ),
        graph_panel(
            Text(
                "Starts by host",
                "Workers that started per minute, the ten highest hosts. Normal: 0, and a peak when you "
                "deploy or scale. Peaks that come again and again are crashes: read the last lines of the "
                "workers' logs.",
                NO_WORKER,
            ),
            [Target(workers.starts_by_host(), BY_HOST)],
            unit="short",
            width=7,
        ),
        _newcomers(),
    ]


def _newcomers() -> table.Panel:
    text = Text(
        "Newest workers",
        "The ten workers that started last. Normal: all of about the same age, that of your last deployment. "
        "A single young one replaced a worker that died or was stopped. Click an id to see that worker "
        "alone.",
        NO_WORKER,
    )
    panel = table_panel(text, [Target(crew.newest())], width=10, height=8)
    columns(panel, _WORKER | {"version": "Version", "Value": "Started", "worker": "Id"}, hide=("Time", "job"))
    column(panel, "Started", "s")
    _alone(panel)
    return sort_by(panel, "Started", highest_first=False)


def _alone(panel: table.Panel) -> None:
    column(panel, "Queues", "string", None, at_least(110))
    alone = opens("This worker alone", WORKERS, fleet="Fleet", worker="Id")
    column(panel, "Id", "string", None, alone, model.DynamicConfigValue("custom.width", 110))
