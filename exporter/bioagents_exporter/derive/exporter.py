"""The exporter's own metrics, and those of its process.

``process_*`` and ``python_info`` are read by prometheus-client's collectors, whose names, labels and meanings
they keep; they pass through our renderer, so that they carry ``fleet`` like all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bioagents_exporter.derive.family import Family, Metric, Type, known, single
from bioagents_exporter.derive.source_states import SourceState, SourceStates
from bioagents_exporter.read.errors import CAUSES
from bioagents_worker import __version__

if TYPE_CHECKING:  # a scrape needs it, the list of metrics does not
    from prometheus_client.registry import Collector

BUILD_INFO: Final = Metric(
    "exporter_build_info",
    "gauge",
    ("version",),
    "",
    "Version of the exporter as a label; the value is always 1.",
    "the version of `bioagents-monitor`",
)
SCRAPE_DURATION: Final = Metric(
    "exporter_scrape_duration_seconds",
    "gauge",
    (),
    "seconds",
    "Time that the last finished scrape took to read, derive and render, absent before the first.",
    "the exporter's monotonic clock around the scrape before this one",
)
SCRAPE_ERRORS: Final = Metric(
    "exporter_scrape_errors_total",
    "counter",
    ("cause",),
    "errors",
    "Number of parts that scrapes had to leave out, by cause.",
    "`derive`: a bug of the exporter; all others: one for each part of Redis that could not be read, "
    + ", ".join(f"`{cause}`" for cause in CAUSES),
)
SOURCE_AGE: Final = Metric(
    "exporter_source_age_seconds",
    "gauge",
    ("source",),
    "seconds",
    "Age of the numbers of a source, absent while there are none.",
    "now - the last success of the source; for `audit` - the oldest of its background reads",
)
SOURCE_DURATION: Final = Metric(
    "exporter_source_duration_seconds",
    "gauge",
    ("source",),
    "seconds",
    "Time that a source took when it last ran.",
    "the exporter's monotonic clock; for `redis` the first round trip",
)
SOURCE_SUCCESS: Final = Metric(
    "exporter_source_success",
    "gauge",
    ("source",),
    "",
    "Whether the source succeeded when it was last due: 1 if it did, 0 otherwise.",
    "sources: `redis` (the read), the parts derived from it (`server`, `queues`, `audit`, `jobs`, `fleet`, "
    "`workers`, `signals`, `limits`), `window` (the sampler) and `process`",
)


def _process(name: str, unit: str, text: str, kind: Type = "gauge", labels: tuple[str, ...] = ()) -> Metric:
    formula = "collector of prometheus-client"
    return Metric(name, kind, labels, unit, text, formula, prefixed=False)


PROCESS_CPU: Final = _process(
    "process_cpu_seconds_total",
    "seconds",
    "CPU time that the exporter has used.",
    kind="counter",
)
PROCESS_MEMORY: Final = _process("process_resident_memory_bytes", "bytes", "Resident memory of the exporter.")
PROCESS_VIRTUAL_MEMORY: Final = _process(
    "process_virtual_memory_bytes", "bytes", "Virtual memory of the exporter."
)
PROCESS_START_TIME: Final = _process(
    "process_start_time_seconds", "seconds", "Unix time at which the exporter started."
)
PROCESS_OPEN_FDS: Final = _process(
    "process_open_fds", "file descriptors", "Number of open file descriptors of the exporter."
)
PROCESS_MAX_FDS: Final = _process(
    "process_max_fds", "file descriptors", "Number of file descriptors that the exporter may open."
)
PYTHON_INFO: Final = _process(
    "python_info",
    "",
    "Information about the Python that runs the exporter, as labels; the value is always 1.",
    labels=("version", "implementation", "major", "minor", "patchlevel"),
)

_PROCESS_METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        PROCESS_CPU, PROCESS_MEMORY, PROCESS_VIRTUAL_MEMORY, PROCESS_START_TIME, PROCESS_OPEN_FDS,
        PROCESS_MAX_FDS, PYTHON_INFO,
    )
}  # fmt: skip


def families(states: SourceStates, now: float) -> Iterator[Family]:
    """Published by every copy, also when Redis cannot be read. ``now``: monotonic seconds of this process."""
    errors = sorted(states.errors.items())
    sources = sorted(states.sources.items())
    keys = [(name,) for name, _ in sources]
    yield Family(BUILD_INFO, [(__version__,)], [1])
    if states.scrape_duration is not None:
        yield single(SCRAPE_DURATION, states.scrape_duration)
    yield Family(SCRAPE_ERRORS, [(cause,) for cause, _ in errors], [n for _, n in errors])
    yield known(SOURCE_AGE, keys, (_age(source, now) for _, source in sources))
    yield known(SOURCE_DURATION, keys, (source.duration for _, source in sources))
    yield Family(SOURCE_SUCCESS, keys, [int(source.success) for _, source in sources])


def _age(source: SourceState, now: float) -> float | None:
    return None if source.fresh_at is None else max(now - source.fresh_at, 0)


class Process:
    """This process, as its operating system sees it."""

    def __init__(self) -> None:
        # Imported here, since the list of metrics must need no third-party package (bioagents rules).
        from prometheus_client.platform_collector import PlatformCollector  # noqa: PLC0415 - see above
        from prometheus_client.process_collector import ProcessCollector  # noqa: PLC0415 - see above

        self._process = ProcessCollector(registry=None)
        self._python = list(_collected(PlatformCollector(registry=None)))  # never changes

    def families(self) -> Iterator[Family]:
        """What can be read here; outside Linux ``python_info`` alone."""
        yield from _collected(self._process)
        yield from self._python


def _collected(collector: Collector) -> Iterator[Family]:
    for found in collector.collect():
        for sample in found.samples:
            metric = _PROCESS_METRICS.get(sample.name)
            if metric is not None:
                key = tuple(sample.labels[name] for name in metric.labels)
                yield Family(metric, [key], [sample.value])
