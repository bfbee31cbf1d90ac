"""Every metric of the exporter, in the order of the reference page, which this module writes.

Whatever names a metric (rules, dashboards, pages, tests) can be checked against :data:`METRICS`. Importing it
needs no third-party package. ``python -m bioagents_exporter.catalogue > docs/reference/metrics.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from bioagents_exporter.derive import exporter, jobs, queue_workers, queues, redis, signals, workers
from bioagents_exporter.derive.family import FLEET_LABEL, WIRE_LABEL, Metric, Type
from bioagents_exporter.settings import DEFAULT_PREFIX
from bioagents_worker.wire import BUCKETS

__all__ = ["CHAPTERS", "FLEET_LABEL", "METRICS", "WIRE_LABEL", "Metric", "Type", "metrics_of", "page"]

#: Title → the module with the metrics of that chapter, in the order of the reference page.
CHAPTERS: Final = MappingProxyType(
    {
        "Queues, from Redis alone": queues,
        "Redis": redis,
        "Jobs, counted by the middleware": jobs,
        "Queues, from heartbeats": queue_workers,
        "Workers, from heartbeats": workers,
        "Signals and limits": signals,
        "The exporter itself": exporter,
    }
)


def metrics_of(chapter: str) -> tuple[Metric, ...]:
    """The metrics of one chapter."""
    return tuple(value for value in vars(CHAPTERS[chapter]).values() if isinstance(value, Metric))


METRICS: Final[tuple[Metric, ...]] = tuple(metric for title in CHAPTERS for metric in metrics_of(title))

_HEAD: Final = f"""\
# Metrics

Every metric with its type, unit, labels, help and formula. `make generate` writes this page from the
catalogue. For what the numbers mean on call, see [concepts](../explanation/concepts.md).

Every series has the label `{FLEET_LABEL}` (setting `fleet`, by default the namespace), so that two fleets
under one Prometheus do not merge. The setting `metrics.prefix` changes the prefix `{{prefix}}`. The
exporter leaves out a number that it could not read; it does not publish 0 instead. Q is a queue's key in
Redis, `<namespace>:<queue>`.

`--collect.workers` selects the series that an exporter publishes:

- `all` (the default): all series.
- `host`, for a sidecar on a worker server: the `worker_*` series of workers on its own host, `redis_up`,
  `redis_round_trip_seconds`, the two `redis_replica_*`, and all metrics about the exporter itself.
- `none`, for a central exporter next to sidecars: all series except `worker_*`.

Totals of workers with the previous wire version are separate series with the label `wire` (`wire="0"`).
They are never added to the current ones: the two reset at different times, and their sum would show
resets that did not happen. Aggregate over `wire` after `rate()`.
"""

_BUCKET_LIST: Final = f"""
Upper bounds of the histograms' buckets in seconds: {", ".join(f"{bound:g}" for bound in BUCKETS)}, +Inf.
"""


def page(prefix: str) -> str:
    """The whole page in Markdown, with metrics named as under this prefix."""
    return "\n".join(_lines(prefix)) + "\n"


def _lines(prefix: str) -> Iterator[str]:
    yield _HEAD.replace("{prefix}", prefix)
    for title in CHAPTERS:
        yield from _chapter(title, prefix)


def _chapter(title: str, prefix: str) -> Iterator[str]:
    metrics = metrics_of(title)
    yield f"## {title}"
    if any(metric.type == "histogram" for metric in metrics):
        yield _BUCKET_LIST.rstrip("\n")
    yield ""
    for metric in metrics:
        yield from _entry(metric, prefix)


def _entry(metric: Metric, prefix: str) -> Iterator[str]:
    labels = [*metric.labels, *(f"{name} (previous wire version only)" for name in metric.optional)]
    unit = {"": "", "ratio": ", ratio"}.get(metric.unit, f", in {metric.unit}")
    by = f", by {', '.join(labels)}" if labels else ""
    yield f"### `{metric.full_name(prefix)}`"
    yield ""
    yield f"{metric.type.capitalize()}{unit}{by}. {metric.help}"
    yield ""
    yield f"Computed from: {metric.formula}."
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page(DEFAULT_PREFIX))
