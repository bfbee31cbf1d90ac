"""Which exceptions, in which actors, and how each actor does."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import table

from bioagents_dashboards.boards.actor.words import NO_FAILURE, NO_JOB
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import ACTOR, QUEUE, WORKERS
from bioagents_dashboards.drawing.panels import (
    WHOLE,
    Target,
    Text,
    at_least,
    column,
    columns,
    link,
    links,
    opens,
    sort_by,
    table_panel,
)
from bioagents_dashboards.queries import jobs

_EXCEPTIONS: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "actor": "Actor",
    "exception": "Exception",
    "Value #A": "Failures/s",
    "Value #B": "Of its attempts",
    "Value #C": "1 h before",
    "Value #D": "1 day before",
}

_ACTORS: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "actor": "Actor",
    "Value #A": "Limit used",
    "Value #B": "Failure ratio",
    "Value #C": "Attempts/s",
    "Value #D": "Failures/s",
    "Value #E": "Retries/s",
    "Value #F": "Dead/s",
    "Value #G": "Skipped/s",
    "Value #H": "Wait p95",
    "Value #I": "Run p50",
    "Value #J": "Run p95",
    "Value #K": "Run p95, 1 day before",
}


def exceptions() -> table.Panel:
    """What fails now, and whether it did before."""
    text = Text(
        "What fails now",
        f"Each class of exception in each actor, the {jobs.LISTED} highest, and what it was an hour and a "
        "day before: an empty cell means that it is new. Normal: empty. “(other)” stands for classes "
        "beyond the first thirty of an actor.",
        NO_FAILURE,
    )
    values = (
        jobs.listed_failures(),
        jobs.listed_share(),
        jobs.listed_failures("1h"),
        jobs.listed_failures("1d"),
    )
    panel = table_panel(text, [Target(value) for value in values], width=14, height=9)
    columns(panel, _EXCEPTIONS, hide=("Time", "job"))
    _links(panel)
    for name in ("Failures/s", "1 h before", "1 day before"):
        column(panel, name, "ops")
    column(panel, "Of its attempts", "percentunit", None, WHOLE)
    return sort_by(panel, "Failures/s")


def actors() -> table.Panel:
    """How each actor does, the worst first."""
    text = Text(
        "Actors",
        f"One line for each actor, the {jobs.LISTED} that fail most; the one closest to its queue's failure "
        "limit first. Normal: nothing coloured, run times as the day before. Click an actor to see it "
        "alone, its queue to see why it is slow or who works on it.",
        NO_JOB,
    )
    values = [
        jobs.listed_limit_used(), jobs.listed_ratio(), jobs.listed("job_attempts"),
        jobs.listed("job_failures"), jobs.listed("job_retries"), jobs.listed("jobs_dead"),
        jobs.listed("jobs_skipped"), jobs.listed_quantile("wait", 95),
        jobs.listed_quantile("duration", 50), jobs.listed_quantile("duration", 95),
        jobs.listed_quantile("duration", 95, "1d"),
    ]  # fmt: skip
    panel = table_panel(text, [Target(value) for value in values], width=24, height=8)
    columns(panel, _ACTORS, hide=("Time", "job", "__name__"))
    _links(panel)
    for name in ("Attempts/s", "Failures/s", "Retries/s", "Skipped/s"):
        column(panel, name, "ops")
    column(panel, "Limit used", "percentunit", style.share_of_limit("transparent"), WHOLE)
    column(panel, "Failure ratio", "percentunit", None, WHOLE)
    column(panel, "Dead/s", "ops", style.thresholds("transparent", (0.001, style.BAD)))
    for name in ("Wait p95", "Run p50", "Run p95", "Run p95, 1 day before"):
        column(panel, name, "s")
    return sort_by(panel, "Limit used")


def _links(panel: table.Panel) -> None:
    chosen = {"fleet": "Fleet", "queue": "Queue"}
    queue = links(link("Why is it slow?", QUEUE, **chosen), link("Who works on it?", WORKERS, **chosen))
    actor = opens("This actor alone", ACTOR, fleet="Fleet", queue="Queue", actor="Actor")
    column(panel, "Queue", "string", None, queue, at_least(150))
    column(panel, "Actor", "string", None, actor, at_least(150))
