"""The first rows of the fleet board: is anything wrong, where, since when?"""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import stat, table

from bioagents_dashboards.boards.parts import NO_EXPORTER, NO_FLEET, redis_panel
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import QUEUE, SLO
from bioagents_dashboards.drawing.panels import (
    Target,
    Text,
    at_least,
    column,
    columns,
    opens,
    sort_by,
    stat_panel,
    table_panel,
)
from bioagents_dashboards.queries import alerts, jobs, queues, slo, workers

_QUEUE_COLUMNS: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "Value #A": "Limit used",
    "Value #B": "Waiting",
    "Value #C": "Oldest wait",
    "Value #D": "Workers",
    "Value #E": "Slots",
    "Value #F": "Slots in use",
    "Value #G": "Failure ratio",
    "Value #H": "Time to drain",
    "Value #I": "SLO left",
}


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet."""
    return [*_verdicts(), *_amounts()]


def _verdicts() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Firing alerts",
                "Alerts of these rules that fire now. Normal: 0.",
                NO_FLEET,
            ),
            Target(alerts.firing_alerts()),
            unit="short",
            thresholds=style.any_is_bad(),
        ),
        stat_panel(
            Text(
                "Firing since",
                "For how long the condition of the oldest alert that fires now has been true. Normal: none "
                "fires.",
                "none fires, or no rules",
            ),
            Target(alerts.firing_for()),
            unit="s",
            thresholds=style.thresholds(style.BAD),
        ),
        stat_panel(
            Text(
                "Worst limit used",
                "The highest share of a limit that any queue uses up: waiting jobs, oldest wait, failure "
                "ratio, or 100 % when it has fewer workers than its minimum. The limits are the exporter's. "
                "Normal: below 70 %; above 100 % somebody has to look. The table below names the queue.",
                NO_EXPORTER,
            ),
            Target(queues.worst_limit_used()),
            unit="percentunit",
            thresholds=style.share_of_limit(),
        ),
        redis_panel(),
    ]


def _amounts() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Workers alive",
                "Workers with a fresh heartbeat, draining ones included. Normal: as many as you "
                "started; red at 0.",
                NO_FLEET,
            ),
            Target(workers.workers_alive()),
            unit="short",
            thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
        ),
        stat_panel(
            Text(
                "Waiting jobs",
                "Jobs that wait in Redis in all chosen queues, without delayed ones. Normal: what your "
                "workers finish within the wait you promise; each queue's limit judges it in the table "
                "below.",
                "no queue is known",
            ),
            Target(queues.waiting_of_fleet()),
            unit="short",
            thresholds=style.no_judgement(),
        ),
        stat_panel(
            Text(
                "Oldest wait",
                "How long the job that has waited longest is ready already. Normal: below the queue's wait "
                "limit; the table below judges it.",
                "no queue is known",
            ),
            Target(queues.oldest_wait_of_fleet()),
            unit="s",
            thresholds=style.no_judgement(),
        ),
        stat_panel(
            Text(
                "Failures",
                "Attempts per second that raised an exception; retries of one job count each. Normal: near "
                "0; red from 0.1 per second on, where HighJobFailureRate begins if all are of one queue.",
                "no job yet, or no rules",
            ),
            Target(jobs.failures_per_second()),
            unit="ops",
            thresholds=style.thresholds(style.GOOD, (0.1, style.BAD)),
        ),
    ]


def queue_table() -> table.Panel:
    """One line for each queue, the worst first."""
    text = Text(
        "Queues",
        "One line for each queue, the one closest to a limit first. Normal: nothing coloured. A failure "
        "ratio is empty without attempts in the last 5 minutes. “SLO left” is what is left of the error "
        "budget of three days, of the objective that has less (board SLO). Click a queue to see why it is "
        "slow.",
        "no queue is known",
    )
    values = [
        queues.limit_used(), queues.waiting(), queues.oldest_wait(), queues.workers(), queues.slots(),
        queues.slots_in_use(), queues.failure_ratio(), queues.drain_time(), slo.budget_left_of_both(),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=8)
    columns(panel, _QUEUE_COLUMNS, hide=("Time", "job"))
    column(
        panel,
        "Queue",
        "string",
        None,
        at_least(130),
        opens("Why is it slow?", QUEUE, fleet="Fleet", queue="Queue"),
    )
    column(panel, "Limit used", "percentunit", style.share_of_limit("transparent"))
    column(panel, "Oldest wait", "s")
    column(panel, "Slots in use", "percentunit")
    column(panel, "Failure ratio", "percentunit")
    column(panel, "Time to drain", "s", None, style.mapped(style.endless("not shrinking")))
    left = opens("What is left of each objective?", SLO, fleet="Fleet", queue="Queue")
    column(panel, "SLO left", "percentunit", style.budget_left("transparent"), left)
    return sort_by(panel, "Limit used")
