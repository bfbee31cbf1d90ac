"""Does more come than goes, and are there enough hands?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.boards.queue.words import NO_QUEUE, NO_RULES
from bioagents_dashboards.drawing.legends import BY_ACTOR, BY_QUEUE, FLEET
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel, stacked
from bioagents_dashboards.queries import jobs, queues


def balance() -> Panels:
    """Arrivals against completions, and what the difference makes of the backlog."""
    return [_arrivals(), _backlog(), _drain(), _states(), _arrivals_by_actor(), _throughput()]


def _arrivals() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Arrivals and completions",
            "Jobs per second that were enqueued, and that are done for good (succeeded, dead or skipped), "
            "over five minutes, the ten busiest queues. Normal: both the same over some minutes. Arrivals "
            "that rise are a burst; completions that fall are slow jobs or lost workers. Producers without "
            "JobMetrics do not count.",
            NO_RULES,
        ),
        [
            Target(jobs.arrivals(), BY_QUEUE + " arrivals"),
            Target(jobs.completions(), BY_QUEUE + " completions"),
        ],
        unit="ops",
    )


def _backlog() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Waiting jobs",
            "Jobs that wait in Redis, the ten longest queues. Normal: below the dashed limit, which is "
            "drawn once half of it is used; growing for minutes means that the workers do not keep up.",
            NO_QUEUE,
        ),
        [Target(queues.busiest_waiting(), BY_QUEUE), Target(queues.depth_limit(), BY_QUEUE + LIMIT)],
        unit="short",
    )


def _drain() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Time to drain by queue",
            "In how many seconds the waiting jobs will be gone at the pace of five minutes, the ten "
            "longest. A gap means that the backlog does not shrink, or would take more than five times the "
            "limit. Normal: below the dashed limit, which is drawn once half of it is used, and no gap for "
            "long.",
            "no backlog shrinks",
        ),
        [Target(queues.longest_drains(), BY_QUEUE), Target(queues.drain_limit(), BY_QUEUE + LIMIT)],
        unit="s",
        width=6,
    )


def _states() -> timeseries.Panel:
    panel = graph_panel(
        Text(
            "Jobs by state",
            "Where the jobs of all chosen queues are, stacked: waiting, active (fetched and not done), "
            "delayed, dead. Normal: what it was last week. Active without anything running means jobs that "
            "nobody runs; delayed that grows means retries.",
            NO_QUEUE,
        ),
        [Target(queues.jobs_by_state(), FLEET + " {{state}}")],
        unit="short",
        width=6,
    )
    return stacked(panel)


def _arrivals_by_actor() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Arrivals by actor",
            "Jobs per second that were enqueued, the ten actors with the most. Normal: what it was last "
            "week. One that rises alone tells who sends the burst. Producers without JobMetrics do not "
            "count.",
            "no producer with JobMetrics has reported yet",
        ),
        [Target(jobs.arrivals_by_actor(), BY_ACTOR)],
        unit="ops",
        width=6,
    )


def _throughput() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Throughput by actor",
            "Attempts per second that ended, the ten busiest actors. Normal: what it was last week. One "
            "that fell while others did not is slow or fails; one that rose takes the others' slots.",
            NO_RULES,
        ),
        [Target(jobs.attempts(), BY_ACTOR)],
        unit="ops",
        width=6,
    )


def hands() -> Panels:
    """Slots, workers, and who is about to go."""
    return [
        graph_panel(
            Text(
                "Running jobs and slots",
                "Jobs that run, and the living threads that could run one (dashed), the ten largest queues. "
                "Normal: room between the two; where they meet, jobs wait for a slot.",
                NO_RULES,
            ),
            [
                Target(queues.most_running(), BY_QUEUE + " running"),
                Target(queues.most_slots(), BY_QUEUE + " slots" + LIMIT),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Workers by queue",
                "Workers alive that do not drain, the ten queues with the most. Normal: a constant number. "
                "The dashed minimum is drawn where a queue has fewer: start workers, or see the board "
                "Workers for those that are missing.",
                NO_RULES,
            ),
            [
                Target(queues.most_workers(), BY_QUEUE),
                Target(queues.missed_minimum(), BY_QUEUE + " minimum" + LIMIT),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Draining",
                "Workers that were told to stop, and the jobs that they still hold, run or not. Normal: "
                "only while you deploy. Jobs that they hold and do not run go back to the queue when they "
                "stop.",
                "no worker drains",
            ),
            [
                Target(queues.draining_workers(), BY_QUEUE + " workers"),
                Target(queues.held_by_draining(), BY_QUEUE + " jobs held"),
            ],
            unit="short",
            width=8,
        ),
    ]
