"""Is load even?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.workers.words import BY_WORKER, NO_WORKER
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel
from bioagents_dashboards.queries import workers


def graphs() -> list[timeseries.Panel]:
    """Processor, slots, and what each worker does beside the others."""
    return [
        graph_panel(
            Text(
                "CPU by worker",
                "Processor time that the ten busiest workers use; 100 % is one processor. Normal: well below "
                "100 %. A Python process that stays there computes instead of waiting, its threads share one "
                "processor: more processes help, more threads do not.",
                NO_WORKER,
            ),
            [Target(workers.cpu_used(), BY_WORKER)],
            unit="percentunit",
            width=8,
        ),
        graph_panel(
            Text(
                "Slots in use by worker",
                "Share of a worker's slots in which a job runs, the ten highest; draining workers have "
                "none. Normal: room below 100 %. All at 100 % means that the fleet is full, one alone at "
                "100 % that its jobs hang or are the long ones.",
                NO_WORKER,
            ),
            [Target(workers.slots_in_use(), BY_WORKER)],
            unit="percentunit",
            width=8,
        ),
        graph_panel(
            Text(
                "Share of the average load",
                "Attempts that a worker finished in half an hour, to the average of the workers of the "
                "same queues; the ten that are furthest from it. Normal: near 100 % with many short jobs; "
                "with jobs of minutes chance moves it. One that stays near 0 while others work: compare "
                "its log with another's, then restart it.",
                "no worker has taken jobs for half an hour",
            ),
            [Target(workers.furthest_from_average(), BY_WORKER)],
            unit="percentunit",
            width=8,
        ),
    ]
