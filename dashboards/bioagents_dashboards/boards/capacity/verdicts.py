"""The first row: are more workers needed, can there be more, how long does it last, what is wasted?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models.common import BigValueGraphMode

from bioagents_dashboards.boards.capacity.words import (
    HOW_IT_BREAKS,
    NO_SIGNAL,
    NO_WORKER,
    NOTHING_DONE,
)
from bioagents_dashboards.boards.parts import NO_EXPORTER
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.panels import Target, Text, stat_panel
from bioagents_dashboards.queries import capacity


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet."""
    return [*_wish(), *_time(), *_use(), *_cost()]


def _wish() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Workers to add",
                "Workers that the queues should have for the jobs that wait, and have not, each queue for "
                "itself; one worker may serve several. Normal: 0, or some while a scaler starts them; a "
                "queue wants two at least if it may. The table says which queue.",
                NO_EXPORTER,
            ),
            Target(capacity.workers_to_add()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (1, style.WARN)),
        ),
        stat_panel(
            Text(
                "Full at maximum",
                "Queues whose jobs wait for slots although they have as many workers as they may. Normal: "
                "0. More will not come by themselves: raise the exporter's max_workers, or let the jobs "
                "wait.",
                NO_EXPORTER,
            ),
            Target(capacity.queues_at_maximum()),
            unit="short",
            thresholds=style.any_is_bad(),
        ),
    ]


def _time() -> list[stat.Panel]:
    lasts = stat_panel(
        Text(
            "Wait breaks in",
            f"Time until the first queue's oldest job has waited longer than its limit. {HOW_IT_BREAKS} "
            "Normal: nothing, or hours. Minutes are what you have to add workers in.",
            NO_WORKER,
        ),
        Target(capacity.first_limit_to_break()),
        unit="s",
        thresholds=style.thresholds(style.BAD, (900, style.WARN), (3600, style.GOOD)),
    )
    lasts.mappings(
        [style.value_text("0", "broken", style.BAD), style.endless("no wait nears its limit", style.GOOD)]
    )
    lasts.graph_mode(BigValueGraphMode.NONE)  # endless times have no course
    fullest = stat_panel(
        Text(
            "Fullest queue",
            "Jobs that run or wait for each slot, in the queue where this is highest. Normal: up to 1. "
            "Above, jobs wait for slots; for how long they may is the wait limit's to say.",
            NO_SIGNAL,
        ),
        Target(capacity.worst_load()),
        unit="short",
        thresholds=style.thresholds(style.GOOD, (1.01, style.WARN)),
    )
    fullest.mappings([style.endless("no slots")]).graph_mode(BigValueGraphMode.NONE)
    return [lasts, fullest]


def _use() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Slots in use",
                "Share of the slots of all workers of the fleet in which a job runs. Normal: between 30 % "
                "and 80 %. From 90 % on there is no room for a burst; the alert WorkersAtCapacity begins "
                "there if jobs wait.",
                NO_WORKER,
            ),
            Target(capacity.busy()),
            unit="percentunit",
            thresholds=style.thresholds(style.GOOD, (0.8, style.WARN), (0.9, style.BAD)),
        ),
        stat_panel(
            Text(
                "Arrivals / done",
                "Jobs that arrive for each that is done, over 5 minutes in all chosen queues. Normal: "
                "near 1. Above, the backlog grows; below, it shrinks. Too low where producers do not load "
                "JobMetrics.",
                NOTHING_DONE,
            ),
            Target(capacity.arrivals_to_completions()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (1.1, style.WARN)),
        ),
    ]


def _cost() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Idle slots",
                "Slots of the fleet in which no job runs now: paid and not used. Normal: what a burst "
                "needs; many of them for hours are money.",
                NO_WORKER,
            ),
            Target(capacity.idle_slots()),
            unit="short",
            thresholds=style.no_judgement(),
        ),
        stat_panel(
            Text(
                "Worker time/job",
                "How long one worker would be paid for each job that is done: all workers of the fleet "
                "divided by completions per second of all its queues, over 5 minutes. Normal: what it was "
                "last week; it rises when jobs get slower or workers idle.",
                NOTHING_DONE,
            ),
            Target(capacity.worker_time_per_job()),
            unit="s",
            thresholds=style.no_judgement(),
        ),
    ]
