"""Each queue in a line: how it works, and which of its jobs do not move."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import table

from bioagents_dashboards.boards.queue.words import NO_QUEUE
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import ACTOR, WORKERS
from bioagents_dashboards.drawing.panels import (
    WHOLE,
    Target,
    Text,
    at_least,
    column,
    columns,
    opens,
    sort_by,
    table_panel,
)
from bioagents_dashboards.queries import jobs, queues

_WORK: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "Value #A": "Limit used",
    "Value #B": "Oldest wait",
    "Value #C": "Waiting",
    "Value #D": "Arrivals/s",
    "Value #E": "Done/s",
    "Value #F": "Time to drain",
    "Value #G": "Of its limit",
    "Value #H": "Workers",
    "Value #I": "Slots",
    "Value #J": "Running",
    "Value #K": "Run time p95",
    "Value #L": "Longest run",
    "Value #M": "Failure ratio",
}

_STANDSTILL: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "Value #A": "Active",
    "Value #B": "Delayed",
    "Value #C": "Overdue",
    "Value #D": "Orphaned",
    "Value #E": "Stuck",
    "Value #F": "Unheld",
    "Value #G": "Held by draining",
    "Value #H": "Dead",
    "Value #I": "Deleted in 24 h",
    "Value #J": "Oldest dead",
}


def work() -> table.Panel:
    """How each queue works, the slowest first."""
    text = Text(
        "Queues",
        "One line for each queue, the one closest to its wait limit first. Normal: nothing coloured, "
        "completions no fewer than arrivals. Click a queue to see what fails in it, its workers to see who "
        "they are.",
        NO_QUEUE,
    )
    values = [
        queues.wait_limit_used(), queues.oldest_wait(), queues.waiting(), jobs.arrivals_of_queues(),
        jobs.completions_of_queues(), queues.drain_time(), queues.drain_limit_used(), queues.workers(),
        queues.slots(), queues.running(), jobs.run_quantile_of_queues(95), queues.longest_run(),
        queues.failure_ratio(),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=7)
    columns(panel, _WORK, hide=("Time", "job", "__name__"))
    _link_queue(panel)
    column(panel, "Limit used", "percentunit", style.share_of_limit("transparent"), WHOLE)
    for name in ("Arrivals/s", "Done/s"):
        column(panel, name, "ops")
    for name in ("Oldest wait", "Run time p95", "Longest run"):
        column(panel, name, "s")
    column(panel, "Time to drain", "s", None, style.mapped(style.endless("not shrinking", style.WARN)))
    endless = style.mapped(style.endless("not shrinking", "transparent"))
    column(panel, "Of its limit", "percentunit", style.share_of_limit("transparent"), endless, WHOLE)
    column(panel, "Workers", "short", None, opens("Who works on it?", WORKERS, fleet="Fleet", queue="Queue"))
    column(panel, "Failure ratio", "percentunit", None, WHOLE)
    return sort_by(panel, "Limit used")


def standstill() -> table.Panel:
    """Jobs that nobody runs at the moment, and why."""
    text = Text(
        "Jobs that do not move",
        "Where jobs are that neither wait nor run. Active: fetched and not done, running ones included. "
        "Normal: nothing coloured. Overdue: nobody fetches delayed jobs. Orphaned: held by a dead worker, "
        "they come back by themselves. Stuck: restart the workers. Unheld: lost, see the runbook of "
        "LedgerMismatch. Dead letters that Dramatiq deletes within 24 h have to be looked at now.",
        NO_QUEUE,
    )
    values = [
        queues.in_state("active"), queues.in_state("delayed"), queues.audited("overdue_delayed"),
        queues.audited("orphaned"), queues.audited("stuck"), queues.audited("unheld"),
        queues.draining_held(), queues.in_state("dead"), queues.expiring(), queues.dead_oldest(),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=7)
    columns(panel, _STANDSTILL, hide=("Time", "job"))
    _link_queue(panel)
    for name in ("Orphaned", "Overdue"):
        column(panel, name, "short", style.thresholds("transparent", (1, style.WARN)))
    for name in ("Stuck", "Unheld", "Deleted in 24 h"):
        column(panel, name, "short", style.thresholds("transparent", (1, style.BAD)))
    column(
        panel, "Held by draining", "short", None, opens("Who drains?", WORKERS, fleet="Fleet", queue="Queue")
    )
    column(panel, "Oldest dead", "s")
    return sort_by(panel, "Dead")


def _link_queue(panel: table.Panel) -> None:
    link = opens("What fails in it?", ACTOR, fleet="Fleet", queue="Queue")
    column(panel, "Queue", "string", None, link, at_least(150))
