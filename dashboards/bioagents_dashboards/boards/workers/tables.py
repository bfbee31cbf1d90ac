"""Who the workers are, who is absent, and in what they differ."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.boards.workers.words import NO_RULES
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import WORKERS
from bioagents_dashboards.drawing.panels import (
    Target,
    Text,
    column,
    columns,
    opens,
    sort_by,
    table_panel,
)
from bioagents_dashboards.queries import workers as ask

_WORKER_COLUMNS: Final = {
    "fleet": "Fleet",
    "host": "Host",
    "pid": "Process",
    "queues": "Queues",
    "version": "Version",
    "Value #B": "Memory used",
    "Value #C": "Memory",
    "Value #D": "CPU",
    "Value #E": "Slots",
    "Value #F": "Threads",
    "Value #G": "Consumers",
    "Value #H": "Running",
    "Value #I": "Attempts/s",
    "Value #J": "Last heartbeat",
    "Value #K": "Uptime",
    "worker": "Id",
}

#: Numbers need little room; names take what is left.
_WIDTHS: Final = {
    "Process": 75,
    "Memory used": 110,
    "Memory": 85,
    "CPU": 75,
    "Slots": 60,
    "Threads": 75,
    "Consumers": 95,
    "Running": 75,
    "Attempts/s": 90,
    "Last heartbeat": 120,
    "Uptime": 85,
    "Id": 110,
}


def workers() -> table.Panel:
    """One line for each worker, the fullest first."""
    text = Text(
        "Workers",
        f"The {ask.LISTED} living workers that use the largest share of their memory limit, which the "
        "processes of one host or container share; choose a queue or a worker to see others. Normal: as "
        "many slots as threads (none while it drains), two consumers for each queue, a heartbeat of a few "
        "seconds (of thousands of workers, up to a minute). Click a process to see it alone.",
        NO_RULES,
    )
    values = [
        ask.listed_facts(), ask.listed_memory_share(), ask.listed_memory(), ask.listed_cpu(),
        ask.listed_slots(), ask.listed_threads(), ask.listed_consumers(),
        ask.listed_running(), ask.listed_pace(),
        ask.listed_heartbeat_age(), ask.listed_uptime(),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=10)
    columns(panel, _WORKER_COLUMNS, hide=("Time", "job", "Value #A"))
    column(panel, "Process", "string", None, opens("This worker alone", WORKERS, fleet="Fleet", worker="Id"))
    full = style.thresholds("transparent", (0.7, style.WARN), (ask.MEMORY_HIGH, style.BAD))
    column(panel, "Memory used", "percentunit", full)
    column(panel, "Memory", "bytes")
    column(panel, "CPU", "percentunit")
    column(panel, "Slots", "short", style.thresholds(style.NEUTRAL, (1, "transparent")))
    column(panel, "Last heartbeat", "s")
    column(panel, "Uptime", "s")
    for name, width in _WIDTHS.items():
        panel.override_by_name(name, [model.DynamicConfigValue("custom.width", width)])
    return sort_by(panel, "Memory used")


def absent() -> table.Panel:
    """Who fell silent, who is about to go."""
    text = Text(
        "Missing or draining",
        "Workers that fell silent without a goodbye in the last hour, and for how long; and workers that "
        "take no more, with the jobs that they still run. Normal: empty, but for drains while you "
        "deploy. A missing worker's jobs come back by themselves, in minutes.",
        "no worker is missing or drains",
    )
    values = (ask.missing_workers(), ask.draining_workers())
    panel = table_panel(text, [Target(value) for value in values], width=14, height=7)
    names = {
        "fleet": "Fleet",
        "host": "Host",
        "pid": "Process",
        "queues": "Queues",
        "version": "Version",
        "Value #A": "Missing for",
        "Value #B": "Drains, still runs",
    }
    columns(panel, names, hide=("Time", "job", "worker"))
    column(panel, "Process", "string")
    column(panel, "Missing for", "s", style.thresholds(style.BAD))
    column(panel, "Drains, still runs", "short")
    return sort_by(panel, "Missing for")


def configurations() -> table.Panel:
    """What workers of the same queues should have in common."""
    text = Text(
        "Configurations",
        "Workers that take jobs, by the queues that they consume, version and threads. Normal: one line "
        "for each set of queues; two while you deploy. After two hours the alert WorkerConfigSkew begins: "
        "finish the deployment or roll it back.",
        NO_RULES,
    )
    panel = table_panel(text, [Target(ask.configurations())], width=10, height=7)
    names = {
        "fleet": "Fleet",
        "queues": "Queues",
        "version": "Version",
        "threads": "Threads",
        "Value": "Workers",
    }
    columns(panel, names, hide=("Time", "job", "__name__"))
    return sort_by(panel, "Queues")
