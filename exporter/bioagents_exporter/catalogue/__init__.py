"""Every metric of the exporter, with its type, labels, unit, help and formula.

Whatever names a metric (rules, dashboards, pages, tests) can be checked against :data:`METRICS`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bioagents_exporter.catalogue import exporter, fleet, jobs, queues, redis, signals, workers
from bioagents_exporter.catalogue.metric import FLEET_LABEL, WIRE_LABEL, Metric, Type

#: Title → the module with the metrics of that chapter, in the order of the reference page.
CHAPTERS: Final = MappingProxyType(
    {
        "Queues, from Redis alone": queues,
        "Redis": redis,
        "Jobs, counted by the middleware": jobs,
        "Queues, from heartbeats": fleet,
        "Workers, from heartbeats": workers,
        "Signals and limits": signals,
        "The exporter itself": exporter,
    }
)


def metrics_of(chapter: str) -> tuple[Metric, ...]:
    """The metrics of one chapter."""
    return tuple(value for value in vars(CHAPTERS[chapter]).values() if isinstance(value, Metric))


METRICS: Final[tuple[Metric, ...]] = tuple(metric for title in CHAPTERS for metric in metrics_of(title))

__all__ = ["CHAPTERS", "FLEET_LABEL", "METRICS", "WIRE_LABEL", "Metric", "Type", "metrics_of"]
