"""What it costs. Grafana knows no prices: multiply by yours."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.capacity.words import NO_WORKER, NOTHING_DONE
from bioagents_dashboards.drawing.legends import BY_QUEUE, FLEET
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel
from bioagents_dashboards.queries import capacity, workers


def graphs() -> list[timeseries.Panel]:
    """Slots, worker time and processor time that jobs cost."""
    return [
        graph_panel(
            Text(
                "Slot-hours per hour",
                "Slots of the fleet that are paid, and those in which a job runs: each is as many "
                "slot-hours per hour. Normal: the distance is what a burst needs. A wide one for hours is "
                "money, none at all is a queue that waits.",
                NO_WORKER,
            ),
            [
                Target(workers.fleet_slots(), FLEET + " paid"),
                Target(workers.fleet_running(), FLEET + " used"),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Worker time per job by queue",
                "Seconds that a queue's workers live for each job that is done, over 5 minutes, the ten "
                "highest. A worker of several queues counts in each. Normal: what it was last week. It "
                "rises when jobs get slower, or fewer come and the workers stay.",
                NOTHING_DONE,
            ),
            [Target(capacity.worker_time_by_queue(), BY_QUEUE)],
            unit="s",
            width=8,
        ),
        graph_panel(
            Text(
                "Processor time per job",
                "Seconds of processor time that all workers use for each job that is done in any queue. "
                "Normal: what it was last week. Far below the worker time: jobs wait for others "
                "(models, databases), and more threads cost less than more workers.",
                NOTHING_DONE,
            ),
            [Target(capacity.cpu_time_per_job())],
            unit="s",
            width=8,
        ),
    ]
