"""``process_*`` and ``python_info``: read by prometheus-client's collectors, rendered by us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bioagents_exporter.catalogue import Metric, exporter
from bioagents_exporter.derive.family import Family

_METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in vars(exporter).values()
    if isinstance(metric, Metric) and not metric.prefixed
}


class Process:
    """This process, as its operating system sees it."""

    def __init__(self) -> None:
        self._process = ProcessCollector(registry=None)
        self._python = list(_families(PlatformCollector(registry=None)))  # never changes

    def families(self) -> Iterator[Family]:
        """What can be read here; outside Linux ``python_info`` alone."""
        yield from _families(self._process)
        yield from self._python


def _families(collector: ProcessCollector | PlatformCollector) -> Iterator[Family]:
    for found in collector.collect():
        for sample in found.samples:
            metric = _METRICS.get(sample.name)
            if metric is not None:
                key = tuple(sample.labels[name] for name in metric.labels)
                yield Family(metric, [key], [sample.value])
