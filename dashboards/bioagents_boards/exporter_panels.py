"""The part of the board "Redis and exporter" about the exporter: copies, sources, counts from workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bioagents_boards.panels import BY_COPY, FLEET, THRESHOLD, Graph, Panel, Target
from bioagents_boards.queries import (
    each_copy,
    gauge,
    near_threshold,
    over_copies,
    rate,
    recorded,
    selector,
    top,
)
from bioagents_boards.shared import NO_EXPORTER, begins
from bioagents_boards.style import (
    ANY_RATE_IS_BAD,
    BAD,
    CLEAR,
    ERRORS,
    WARN,
    per_second,
    thresholds,
    value_text,
)
from bioagents_boards.tables import Label, Table, Value

STALE_SECONDS: Final = begins("ExporterReadStale")
_LATE_SECONDS: Final = begins("MetricsFlushDelayed")


_NO_COUNTS: Final = "no worker with JobMetrics has reported yet"

_SOURCE_AGE: Final = gauge("exporter_source_age_seconds")
#: By source: 1 if it fails on any copy that reads Redis, else 0. Sources of a copy that does not reach Redis
#: have no state: another panel shows that.
SOURCE_FAILS: Final = over_copies(
    f"({selector('exporter_source_success')} == bool 0) unless ignoring (source) ({selector('redis_up')} == "
    "0)"
)

# Copies of the exporter, each a process of its own.
_MEMORY: Final = each_copy("process_resident_memory_bytes")
_CPU: Final = f"rate({selector('process_cpu_seconds_total')}[$__rate_interval])"
_SCRAPE: Final = each_copy("exporter_scrape_duration_seconds")


def _python() -> str:
    """By ``python``, its version: 1 for each copy. ``version`` alone would be that of the exporter."""
    named = f'label_join({selector("python_info")}, "python", "", "version")'
    return f"max without (version, implementation, major, minor, patchlevel) ({named})"


_COPIES: Final = Table(
    "Copies of the exporter",
    "One row for each copy that answers. Normal: as many rows as you run copies, all of one version, "
    "each reading Redis; a scrape well below Prometheus's timeout (10 seconds by default), open files "
    "below 70 % of the limit of the process. A copy that is missing here does not answer: see Status, "
    "Targets in Prometheus.",
    [
        Label("Fleet", label="fleet"),
        Label("Copy", label="instance"),
        Label("Pod", label="pod"),
        Label("Version", label="version"),
        Label("Python", label="python"),
        Value("", query=each_copy("exporter_build_info")),
        Value(
            "Redis",
            query=each_copy("redis_up"),
            thresholds=thresholds(BAD, (1, CLEAR)),
            mappings=[value_text("1", "up"), value_text("0", "DOWN")],
        ),
        Value("Scrape", query=_SCRAPE, unit="s", thresholds=thresholds(CLEAR, (1, WARN), (5, BAD))),
        Value("Memory", query=_MEMORY, unit="bytes"),
        Value("CPU", query=_CPU, unit="percentunit"),
        Value(
            "Files open",
            query=f"{selector('process_open_fds')} / {selector('process_max_fds')}",
            unit="percentunit",
            thresholds=thresholds(CLEAR, (0.7, WARN), (0.9, BAD)),
        ),
        Value("Uptime", query=f"time() - {each_copy('process_start_time_seconds')}", unit="s"),
        Value("", query=_python()),
    ],
    empty=NO_EXPORTER,
    sort="Uptime",
    highest_first=False,
    hide=("container", "node", "endpoint"),
    height=6,
)


def _of_copies(title: str, description: str, query: str, unit: str) -> Graph:
    return Graph(title, description, [Target(top(query), BY_COPY)], unit=unit, empty=NO_EXPORTER)


_EXPORTER: Final = (
    _COPIES,
    _of_copies(
        "Scrape duration of each copy",
        "How long a scrape takes to read Redis and write its answer, for each copy by itself, top 10. "
        "Normal: well below a second, and level. A rise: more queues and workers, or a slow Redis. Beyond "
        "Prometheus's timeout (10 seconds by default) the whole scrape is lost.",
        _SCRAPE,
        "s",
    ),
    _of_copies(
        "Memory of each copy",
        "Resident memory of the exporter's process, for each copy by itself, the ten largest. Normal: "
        "level after the first minutes, some ten MiB more for a large fleet. A steady climb is a leak: "
        "restart that copy, no data is lost, and report it.",
        _MEMORY,
        "bytes",
    ),
    _of_copies(
        "CPU of each copy",
        "Processor time that the exporter's process uses, for each copy by itself, top 10; 100 % is one "
        "processor. Normal: a few percent. Near 100 % scrapes wait for each other: scrape less often, or "
        "from fewer programs.",
        _CPU,
        "percentunit",
    ),
)

# Sources of the exporter, the worst of all copies.
_SOURCES: Final = (
    Table(
        "Sources of the exporter",
        "One row for each part of the numbers that the exporter reads, the worst of all copies, the oldest "
        "first; a copy that does not reach Redis has no state. Normal: every state is ok, ages are seconds; "
        "audit (orphaned, stuck, unheld and overdue jobs) is read in the background. The runbook of "
        "ExporterReadStale describes each source.",
        [
            Label("Fleet", label="fleet"),
            Label("Source", label="source"),
            Value(
                "Age",
                query=_SOURCE_AGE,
                unit="s",
                thresholds=thresholds(CLEAR, (60, WARN), (STALE_SECONDS, BAD)),
            ),
            Value(
                "State",
                query=SOURCE_FAILS,
                thresholds=thresholds(CLEAR, (1, BAD)),
                mappings=[value_text("0", "ok"), value_text("1", "FAILS")],
            ),
            Value("Duration", query=gauge("exporter_source_duration_seconds"), unit="s"),
        ],
        empty=NO_EXPORTER,
        sort="Age",
        width=12,
        height=11,
    ),
    Graph(
        "Scrape errors by cause",
        "Errors per second because of which scrapes are incomplete, on the copy with the most, the ten most "
        "frequent causes. Normal: empty. redis_denied: the exporter's user lacks a permission. bad_… and "
        "wrong_type: keys of another program or version. derive: a bug of the exporter; report it.",
        [Target(top(f"{rate('exporter_scrape_errors_total', keep=('cause',))} > 0"), FLEET + " {{cause}}")],
        unit=ERRORS,
        thresholds=ANY_RATE_IS_BAD,
        width=12,
        height=11,
        empty="no scrape error",
    ),
    Graph(
        "Age by source",
        "How old the numbers of each source are, the worst of all copies, the ten oldest. The dashed "
        "threshold of ExporterReadStale appears above half of it. Normal: seconds. A line that rises by one "
        "second per second is a source without new numbers: read the exporter's log.",
        [
            Target(top(_SOURCE_AGE), FLEET + " {{source}}"),
            Target(near_threshold(_SOURCE_AGE, STALE_SECONDS, "source"), FLEET + THRESHOLD),
        ],
        unit="s",
        width=12,
        empty=NO_EXPORTER,
    ),
    Graph(
        "Duration by source",
        "The parts of a scrape's duration, the worst of all copies, top 10; audit and window run in the "
        "background. Normal: milliseconds, and level. redis is one round trip: if it is the longest, Redis "
        "or the network is slow. jobs and workers grow with the fleet.",
        [Target(top(gauge("exporter_source_duration_seconds")), FLEET + " {{source}}")],
        unit="s",
        width=12,
        empty=NO_EXPORTER,
    ),
    Table(
        "Messages that are not read",
        "Queues whose messages the exporter does not read: in another encoding than Dramatiq's JSON, larger "
        "than 64 KB, damaged, or without a time; out of the next job and a sample of the delayed jobs. The "
        "age of the next job is then missing. Normal: empty, or the encoding that your application uses.",
        [
            Label("Fleet", label="fleet"),
            Label("Queue", label="queue"),
            Label("Reason", label="reason"),
            Value("Messages", query=gauge("queue_unreadable_messages")),
        ],
        empty="the exporter reads all messages",
        sort="Messages",
        height=6,
    ),
)

# Counts on their way from the workers.
_FLUSH_AGE: Final = recorded("fleet:bioagents_worker_flush_age_seconds:max")
_COUNTS: Final = (
    Graph(
        "Age of unsent counts",
        "How long the oldest count of any worker waited until it was sent to Redis; rates and totals lag "
        "behind by as much. The dashed threshold of MetricsFlushDelayed appears above half of it. Normal: "
        "about a second, up to 40 in the largest fleets. The dashboard Workers shows which worker it is.",
        [
            Target(_FLUSH_AGE, FLEET + " oldest"),
            Target(near_threshold(_FLUSH_AGE, _LATE_SECONDS), FLEET + THRESHOLD),
        ],
        unit="s",
        empty="no worker, or the rules are not loaded",
    ),
    Graph(
        "Dropped counts",
        "Counts per second that workers dropped because they could not know whether Redis has them. "
        "Normal: 0; a failover or restart of Redis may cost some once. Repeatedly: Redis loses its data, "
        "and totals and rates are too low; see its persistence settings.",
        [Target(rate("metrics_dropped_total"))],
        unit=per_second("counts"),
        thresholds=ANY_RATE_IS_BAD,
        empty=_NO_COUNTS,
    ),
    Graph(
        "Middleware errors",
        "Errors per second inside JobMetrics in workers and producers; none of them affected a job. "
        "Normal: 0. Each may be a missing count: the worker's log has the reason. Report what looks like a "
        "bug.",
        [Target(rate("middleware_errors_total"))],
        unit=ERRORS,
        thresholds=ANY_RATE_IS_BAD,
        empty=_NO_COUNTS,
    ),
)

EXPORTER_ROWS: Final[Mapping[str, Sequence[Panel]]] = {
    "Exporter": _EXPORTER,
    "Numbers and their sources": _SOURCES,
    "Counts from the workers": _COUNTS,
}
