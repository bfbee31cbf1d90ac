"""One line for each queue: what it wants, has, and how long that lasts."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.boards.capacity.words import NO_QUEUE
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import QUEUE
from bioagents_dashboards.drawing.panels import (
    Target,
    Text,
    column,
    columns,
    opens,
    sort_by,
    table_panel,
)
from bioagents_dashboards.queries import capacity, jobs
from bioagents_dashboards.queries import queues as ask

_COLUMNS: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "Value #A": "Wanted",
    "Value #B": "Workers",
    "Value #C": "Minimum",
    "Value #D": "Maximum",
    "Value #E": "Load",
    "Value #F": "Slots",
    "Value #G": "Slots in use",
    "Value #H": "Arrivals/s",
    "Value #I": "Completions/s",
    "Value #J": "Wait limit breaks in",
    "Value #K": "Time to drain",
    "Value #L": "Of its limit",
}


def table_of_queues() -> table.Panel:
    """One line for each queue, the fullest first."""
    text = Text(
        "Queues",
        "One line for each queue, the one with the most jobs for each slot first. Normal: as many workers "
        "as wanted, a load up to 1, arrivals and completions alike, nothing under “Wait limit breaks in”. "
        "A time to drain says “not shrinking” also in a healthy queue that just got a job. Click a queue "
        "to see why it is slow.",
        NO_QUEUE,
    )
    values = [
        capacity.desired(), ask.workers(), capacity.fewest(), capacity.most(), capacity.load(), ask.slots(),
        ask.slots_in_use(), jobs.arrivals_of_queues(), jobs.completions_of_queues(),
        capacity.wait_limit_breaks_in(), ask.drain_time(), ask.drain_limit_used(),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=9)
    columns(panel, _COLUMNS, hide=("Time", "job", "__name__"))
    wide = model.DynamicConfigValue("custom.width", 150)
    column(
        panel, "Queue", "string", None, opens("Why is it slow?", QUEUE, fleet="Fleet", queue="Queue"), wide
    )
    column(
        panel,
        "Load",
        "short",
        style.thresholds("transparent", (1.01, style.WARN)),
        style.mapped(style.endless("no slots")),
    )
    column(panel, "Slots in use", "percentunit")
    column(panel, "Arrivals/s", "ops")
    column(panel, "Completions/s", "ops")
    soon = style.thresholds(style.BAD, (900, style.WARN), (3600, "transparent"))
    column(panel, "Wait limit breaks in", "s", soon, style.mapped(style.value_text("0", "broken", style.BAD)))
    column(panel, "Time to drain", "s", None, style.mapped(style.endless("not shrinking")))
    column(panel, "Of its limit", "percentunit", None, style.mapped(style.endless("not shrinking")))
    return sort_by(panel, "Load")
