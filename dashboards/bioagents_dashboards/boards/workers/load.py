"""Is load even?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.workers.words import NO_HALF_HOUR, NO_RULES
from bioagents_dashboards.drawing.legends import BY_WORKER
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel
from bioagents_dashboards.queries import workers


def graphs() -> list[timeseries.Panel]:
    """Processor, running jobs, and what each worker does beside the others."""
    return [
        graph_panel(
            Text(
                "CPU by worker",
                "Processor time that the ten busiest workers use; 100 % is one processor. Normal: well below "
                "100 %. A Python process that stays there computes instead of waiting, its threads share one "
                "processor: more processes help, more threads do not.",
                NO_RULES,
            ),
            [Target(workers.cpu_used(), BY_WORKER)],
            unit="percentunit",
            width=8,
        ),
        graph_panel(
            Text(
                "Running jobs by worker",
                "Jobs that a worker ran at a time on average of half an hour, the ten highest, of workers "
                "that took jobs all the while. Normal: alike for workers of the same queues. One far "
                "above the others has the long jobs, or jobs that hang.",
                NO_HALF_HOUR,
            ),
            [Target(workers.running_jobs(), BY_WORKER)],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Share of the average load",
                "Attempts that a worker finished in half an hour, to the average of the workers of the "
                "same queues; the ten lowest. Normal: near 100 % "
                "with many short jobs; with jobs of minutes chance moves it. One that stays near 0 and "
                "runs few jobs while others work: compare its log with another's, then restart it.",
                NO_HALF_HOUR,
            ),
            [Target(workers.least_loaded(), BY_WORKER)],
            unit="percentunit",
            width=8,
        ),
    ]
