"""The exporter's own metrics, and those of its process.

``process_*`` and ``python_info`` are read by prometheus-client's collectors, whose names, labels and meanings
they keep; they pass through our renderer, so that they carry ``fleet`` like all others.
"""

from __future__ import annotations

from typing import Final

from bioagents_exporter.catalogue.metric import Metric, Type
from bioagents_exporter.read.errors import CAUSES

BUILD_INFO: Final = Metric(
    "exporter_build_info",
    "gauge",
    ("version",),
    "",
    "Is always 1 and carries the version of the exporter.",
    "the version of `bioagents-monitor`",
)
SCRAPE_DURATION: Final = Metric(
    "exporter_scrape_duration_seconds",
    "gauge",
    (),
    "seconds",
    "Tells how long the last finished scrape took to read, derive and render, and is absent before the "
    "first.",
    "the exporter's monotonic clock around the scrape before this one",
)
SCRAPE_ERRORS: Final = Metric(
    "exporter_scrape_errors_total",
    "counter",
    ("cause",),
    "errors",
    "Counts by cause what scrapes had to leave out.",
    "`derive`: a bug of the exporter; all others: one for each part of Redis that could not be read, "
    + ", ".join(f"`{cause}`" for cause in CAUSES),
)
SOURCE_AGE: Final = Metric(
    "exporter_source_age_seconds",
    "gauge",
    ("source",),
    "seconds",
    "Tells how old the numbers of a source are, and is absent while there are none.",
    "now - the last success of the source; for `audit` - the oldest of its background reads",
)
SOURCE_DURATION: Final = Metric(
    "exporter_source_duration_seconds",
    "gauge",
    ("source",),
    "seconds",
    "Tells how long a source took when it last ran.",
    "the exporter's monotonic clock; for `redis` the first round trip",
)
SOURCE_SUCCESS: Final = Metric(
    "exporter_source_success",
    "gauge",
    ("source",),
    "",
    "Is 1 if the source succeeded when it was last due, and 0 otherwise.",
    "sources: `redis` (the read), the parts derived from it (`server`, `queues`, `audit`, `jobs`, `fleet`, "
    "`workers`, `signals`, `limits`), `window` (the sampler) and `process`",
)


def _process(name: str, unit: str, text: str, kind: Type = "gauge", labels: tuple[str, ...] = ()) -> Metric:
    formula = "collector of prometheus-client"
    return Metric(name, kind, labels, unit, text, formula, prefixed=False)


PROCESS_CPU: Final = _process(
    "process_cpu_seconds_total",
    "seconds",
    "Counts the processor time that the exporter has used.",
    kind="counter",
)
PROCESS_MEMORY: Final = _process(
    "process_resident_memory_bytes", "bytes", "Tells how much memory the exporter occupies."
)
PROCESS_VIRTUAL_MEMORY: Final = _process(
    "process_virtual_memory_bytes", "bytes", "Tells how much virtual memory the exporter has."
)
PROCESS_START_TIME: Final = _process(
    "process_start_time_seconds", "seconds", "Tells when the exporter started, in unix time."
)
PROCESS_OPEN_FDS: Final = _process(
    "process_open_fds", "file descriptors", "Counts the file descriptors that the exporter has open."
)
PROCESS_MAX_FDS: Final = _process(
    "process_max_fds", "file descriptors", "Tells how many file descriptors the exporter may open."
)
PYTHON_INFO: Final = _process(
    "python_info",
    "",
    "Is always 1 and carries facts of the Python that runs the exporter.",
    labels=("version", "implementation", "major", "minor", "patchlevel"),
)
