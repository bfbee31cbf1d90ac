"""Does memory hold?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.workers.words import FLEET_LIMIT, NO_RULES
from bioagents_dashboards.drawing.legends import BY_HOST, BY_WORKER
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel
from bioagents_dashboards.queries import workers


def graphs() -> list[timeseries.Panel]:
    """How full, how large, how fast it grows."""
    return [
        graph_panel(
            Text(
                "Memory used by host",
                "What the workers of a host or container use together of the memory that they may use, "
                "the ten fullest hosts. Normal: level, below 70 %. Near 90 % restart the largest worker "
                "gracefully, then give it more memory or fewer threads.",
                NO_RULES,
            ),
            [
                Target(workers.memory_by_host(), BY_HOST),
                Target(workers.memory_threshold(), FLEET_LIMIT),
            ],
            unit="percentunit",
            width=8,
        ),
        graph_panel(
            Text(
                "Largest workers",
                "Resident memory of the ten largest workers; the dashed limit (of the control group or "
                "the host) is drawn once half of it is used. Normal: level after the first jobs. Steps "
                "that never come down are a job that keeps what it read.",
                NO_RULES,
            ),
            [
                Target(workers.worker_memory(), BY_WORKER),
                Target(workers.worker_memory_limit(), BY_WORKER + LIMIT),
            ],
            unit="bytes",
            width=8,
        ),
        graph_panel(
            Text(
                "Memory growth in an hour",
                "Bytes per hour by which a worker's memory grew, measured over six hours, the ten "
                "fastest; marked as a leak once it looks like one. Normal: high after a start, then near "
                "0. Growth that stays is a leak: plan graceful restarts, then look at what the last "
                "deployment keeps.",
                NO_RULES,
            ),
            [
                Target(workers.memory_growth(), BY_WORKER),
                Target(workers.memory_leaks(), BY_WORKER + " leaks"),
            ],
            unit="bytes",
            width=8,
        ),
    ]
