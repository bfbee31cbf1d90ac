"""Whether the workers that are there suffice, and for how long."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.capacity.words import (
    HOW_IT_BREAKS,
    NO_QUEUE,
    NO_SIGNAL,
    NO_WAIT_NEAR,
    NO_WORKER,
)
from bioagents_dashboards.drawing.legends import BY_QUEUE, FLEET
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel
from bioagents_dashboards.queries import capacity, jobs, queues


def load() -> list[timeseries.Panel]:
    """How full, and whether more comes than goes."""
    return [
        graph_panel(
            Text(
                "Load by queue",
                "Jobs that run or wait for each slot, the ten highest queues. Normal: up to 1; above, "
                "jobs wait for slots. A queue that has jobs and no slots is not drawn, the table shows it.",
                NO_SIGNAL,
            ),
            [Target(capacity.highest_loads(), BY_QUEUE)],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Slots in use by queue",
                "Share of a queue's slots in which a job of that queue runs, the ten highest; and of all "
                "slots of the fleet. Normal: between 30 % and 80 %. At 100 % for long, more workers help; "
                "low while jobs wait, they do not. Above 100 %, draining workers still run jobs.",
                NO_WORKER,
            ),
            [Target(capacity.fullest_queues(), BY_QUEUE), Target(capacity.busy(), FLEET + " all slots")],
            unit="percentunit",
            width=8,
        ),
        graph_panel(
            Text(
                "Arrivals and completions by queue",
                "Jobs per second that were enqueued, and that are done for good (succeeded, dead or "
                "skipped), the ten busiest queues. Normal: both the same over some minutes. Producers "
                "without JobMetrics do not count as arrivals.",
                "no worker or producer with JobMetrics has reported yet, or the rules are not loaded",
            ),
            [
                Target(jobs.arrivals(), BY_QUEUE + " arrivals"),
                Target(jobs.completions(), BY_QUEUE + " completions"),
            ],
            unit="ops",
            width=8,
        ),
    ]


def time_left() -> list[timeseries.Panel]:
    """Until a wait is too long, until a backlog is gone."""
    return [
        graph_panel(
            Text(
                "Until the wait limit breaks",
                "Time until a queue's oldest job has waited longer than its limit, the ten soonest. "
                f"{HOW_IT_BREAKS} Normal: empty. A line that falls by a minute each minute will keep its "
                "word: add workers before it reaches 0.",
                NO_WAIT_NEAR,
            ),
            [Target(capacity.soonest_to_break(), BY_QUEUE)],
            unit="s",
            width=8,
        ),
        graph_panel(
            Text(
                "Oldest wait",
                "How long the job that has waited longest is ready already, the ten worst queues. Normal: "
                "below the dashed limit, which is drawn once half of it is used.",
                NO_QUEUE,
            ),
            [Target(queues.longest_waits(), BY_QUEUE), Target(queues.wait_limit(), BY_QUEUE + LIMIT)],
            unit="s",
            width=8,
        ),
        graph_panel(
            Text(
                "Time to drain",
                "When the backlog will be gone at the pace of the last 5 minutes, the ten longest. "
                "Normal: 0 or below the dashed limit, which is drawn once half of it is used. A backlog "
                "that does not shrink has no such time and no line.",
                NO_SIGNAL,
            ),
            [Target(capacity.longest_drains(), BY_QUEUE), Target(capacity.drain_limit(), BY_QUEUE + LIMIT)],
            unit="s",
            width=8,
        ),
    ]
