"""Who comes and goes, and whether those who stay are sound."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.parts import NO_EXPORTER
from bioagents_dashboards.boards.workers.words import (
    FLEET_LIMIT,
    NO_RULES,
)
from bioagents_dashboards.drawing.legends import BY_HOST, BY_WORKER, FLEET
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel
from bioagents_dashboards.queries import workers


def changes() -> list[timeseries.Panel]:
    """How many there are, which start, which version they run."""
    return [
        graph_panel(
            Text(
                "Alive, missing, draining",
                "Workers of the fleet that are alive, those of them that take no jobs (they drain, or lost "
                "all threads), and those that fell silent in the last hour. Normal: a constant number alive, "
                "none missing, draining only while you deploy or scale down.",
                NO_EXPORTER,
            ),
            [
                Target(workers.workers_alive(), FLEET + " alive"),
                Target(workers.workers_missing(), FLEET + " missing"),
                Target(workers.workers_draining(), FLEET + " draining"),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Starts by host",
                "Workers that started per minute, and those of the last hour for each worker that the "
                "host had; the ten highest hosts, whichever are chosen. Normal: 0, and a peak when you "
                "deploy. Above 3.5 per worker the alert WorkerRestarting begins: read the last lines of "
                "their logs. The dashed line is drawn once half of that is reached.",
                NO_RULES,
            ),
            [
                Target(workers.starts_by_host(), BY_HOST + " per minute"),
                Target(workers.boots_in_an_hour(), BY_HOST + " per worker in an hour"),
                Target(workers.boots_threshold(), FLEET_LIMIT),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Workers by version",
                "Workers that take jobs, by the version of the application. Normal: one line; during a "
                "deployment one falls as the other rises. Two that stay level are a deployment that stopped "
                "half-way.",
                NO_RULES,
            ),
            [Target(workers.workers_by_version(), FLEET + " version {{version}}")],
            unit="short",
            width=8,
        ),
    ]


def signs_of_life() -> list[timeseries.Panel]:
    """Whether heartbeats, counts, clocks and threads are as they should be."""
    return [
        _signs(
            "Age of the last heartbeat",
            "Time since a worker was last heard of, the ten longest, missing ones included for an hour. "
            "Normal: a few seconds. Many at once is Redis or the network; one alone is a process that "
            "froze or died.",
            Target(workers.heartbeat_age(), BY_WORKER),
        ),
        _signs(
            "Age of counts",
            "How long the oldest count of a worker waited until it was handed over with a heartbeat, the ten "
            "longest. Normal: below a second, in a large fleet a few. Higher: Redis was away or is slow, and "
            "rates arrive late by as much.",
            Target(workers.flush_age(), BY_WORKER),
        ),
        _signs(
            "Difference of clocks",
            "By how much a worker's clock differs from that of Redis, the ten furthest. Normal: below a "
            "second. One host alone: see whether something sets its clock. All at once: look at "
            "the server of Redis.",
            Target(workers.clock_skew(), BY_WORKER),
            Target(workers.clock_skew_threshold(), FLEET_LIMIT),
        ),
        graph_panel(
            Text(
                "Lost threads by worker",
                "Worker and consumer threads that died in a worker that lives, the ten with the most. "
                "Normal: empty, but for a moment in which a worker ends. One that stays runs fewer jobs or "
                "no longer fetches a queue: restart it gracefully.",
                "no thread was lost, or the rules are not loaded",
            ),
            [Target(workers.lost_threads_by_worker(), BY_WORKER)],
            unit="short",
            width=6,
        ),
    ]


def _signs(title: str, description: str, *targets: Target) -> timeseries.Panel:
    return graph_panel(Text(title, description, NO_RULES), targets, unit="s", width=6)
