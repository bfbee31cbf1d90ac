"""The graphs of the fleet board: backlog, time, failures, workers."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_CAUSE, BY_QUEUE, BY_WORKER, FLEET
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel
from bioagents_dashboards.queries import jobs, queues, workers

NO_JOB: Final = "no worker or producer with JobMetrics has reported yet, or the rules are not loaded"
NO_WORKER: Final = "no worker has reported"
NO_RULES: Final = "no worker, or the rules are not loaded"


def backlog() -> Panels:
    """How much waits, and whether it grows."""
    return [
        graph_panel(
            Text(
                "Waiting jobs by queue",
                "Jobs that wait in Redis, the ten longest queues. Normal: below the dashed limit, which is "
                "drawn once half of it is used; growing for minutes means that the workers do not keep up.",
                "no queue is known",
            ),
            [Target(queues.busiest_waiting(), BY_QUEUE), Target(queues.depth_limit(), BY_QUEUE + LIMIT)],
            unit="short",
        ),
        graph_panel(
            Text(
                "Arrivals and completions",
                "Jobs per second that were enqueued, and that are done for good (succeeded, dead or "
                "skipped), the ten busiest queues. Normal: both the same over some minutes. Producers "
                "without JobMetrics do not count as arrivals.",
                NO_JOB,
            ),
            [
                Target(jobs.arrivals(), BY_QUEUE + " arrivals"),
                Target(jobs.completions(), BY_QUEUE + " completions"),
            ],
            unit="ops",
        ),
    ]


def times() -> Panels:
    """How long jobs wait and run."""
    return [
        graph_panel(
            Text(
                "Oldest wait by queue",
                "How long the job that has waited longest is ready already, the ten worst queues. Normal: "
                "below the dashed limit, which is drawn once half of it is used.",
                "no queue is known",
            ),
            [Target(queues.longest_waits(), BY_QUEUE), Target(queues.wait_limit(), BY_QUEUE + LIMIT)],
            unit="s",
            width=8,
        ),
        _quantiles("Wait time", "wait", jobs.wait_quantile, "Without delays and the back-off of retries."),
        _quantiles("Run time", "run", jobs.run_quantile, "Each attempt counts when it ends."),
    ]


def _quantiles(title: str, verb: str, of: jobs.Quantile, more: str) -> timeseries.Panel:
    return graph_panel(
        Text(
            f"{title} by queue",
            f"How long half of the jobs (p50) and 95 of 100 (p95) {verb} at most, estimated from a "
            f"histogram, the ten highest queues. {more} Normal: what it was last week; a p95 that leaves "
            "the p50 behind means a few slow jobs.",
            NO_JOB,
        ),
        [Target(of(95), BY_QUEUE + " p95"), Target(of(50), BY_QUEUE + " p50")],
        unit="s",
        width=8,
    )


def failures() -> Panels:
    """What fails."""
    return [
        graph_panel(
            Text(
                "Failures by exception",
                "Attempts per second that raised, the ten highest by actor and class of exception. Normal: "
                "empty. One line that rises is a bug or one broken dependency; many at once are the network "
                "or Redis.",
                "nothing failed, or the rules are not loaded",
            ),
            [Target(jobs.failures_by_exception(), BY_CAUSE)],
            unit="ops",
            width=8,
        ),
        graph_panel(
            Text(
                "Retries by queue",
                "Retries per second, the ten highest queues. Normal: near 0; much more than failures means "
                "that actors ask for later themselves (Retry, rate limits).",
                NO_JOB,
            ),
            [Target(jobs.retries(), BY_QUEUE)],
            unit="ops",
            width=8,
        ),
        graph_panel(
            Text(
                "Dead letters",
                "Jobs that failed for good and that Dramatiq still keeps, and how many of them it deletes "
                "within 24 hours: whoever wants to look at those has to do so now. Normal: 0.",
                "no queue is known",
            ),
            [
                Target(queues.dead_letters(), BY_QUEUE),
                Target(queues.dead_expiring(), BY_QUEUE + " deleted within 24 h"),
            ],
            unit="short",
            width=8,
            thresholds=style.any_is_bad(),
        ),
    ]


def who_works() -> Panels:
    """Who works."""
    return [
        graph_panel(
            Text(
                "Workers",
                "Workers alive, missing (silent for less than an hour, without a goodbye) and draining by "
                "queue. Normal: a constant number alive, none missing, draining only while you deploy.",
                NO_WORKER,
            ),
            [
                Target(workers.workers_alive(), FLEET + " alive"),
                Target(workers.workers_missing(), FLEET + " missing"),
                Target(queues.draining_workers(), BY_QUEUE + " draining"),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Slots in use",
                "Jobs that run, and the living threads that could run one (dashed). Normal: room between "
                "the two; where they meet, jobs wait.",
                NO_RULES,
            ),
            [
                Target(workers.fleet_running(), FLEET + " running"),
                Target(workers.fleet_slots(), FLEET + " slots" + LIMIT),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Memory of workers",
                "Resident memory of the ten largest workers; the dashed limit (of the control group or the "
                "host) is drawn once half of it is used. Normal: level after the first jobs; a steady climb "
                "is a leak, and at the limit the kernel kills the worker.",
                NO_RULES,
            ),
            [
                Target(workers.worker_memory(), BY_WORKER),
                Target(workers.worker_memory_limit(), BY_WORKER + LIMIT),
            ],
            unit="bytes",
            width=8,
        ),
    ]
