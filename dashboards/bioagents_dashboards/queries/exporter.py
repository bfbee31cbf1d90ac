"""Whether the numbers can be believed: the exporter's copies, their sources, the counts on their way."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import (
    COPIES,
    NONE,
    TOP,
    each_copy,
    gauge,
    near_threshold,
    over_copies,
    rate,
    recorded,
    selector,
    top,
)

#: Where the alert ExporterReadStale begins.
STALE_SECONDS: Final = 300
#: Where the alert MetricsFlushDelayed begins.
LATE_SECONDS: Final = 60


# All copies together, the worst of them.


def copies() -> str:
    """How many copies of the exporter answer."""
    answering = f"count without ({', '.join(COPIES)}) ({selector('exporter_build_info')})"
    return f"sum without (version) ({answering})"


def failing_sources() -> str:
    """How many of the sources fail, on any copy that reads Redis."""
    return f"sum without (source) ({source_fails()})"


def source_fails() -> str:
    """By source: 1 if it fails on any copy that reads Redis, else 0.

    The sources of a copy that does not reach Redis have nothing to work with: that is said elsewhere.
    """
    fails = f"({selector('exporter_source_success')} == bool 0)"
    return over_copies(f"{fails} unless ignoring (source) ({selector('redis_up')} == 0)")


def source_age() -> str:
    """By source: seconds since it last gave numbers, on the copy where that is longest."""
    return gauge("exporter_source_age_seconds")


def oldest_source() -> str:
    """The highest age of any source."""
    return gauge("exporter_source_age_seconds", keep=NONE, how="max")


def oldest_sources() -> str:
    """By source: the highest ages."""
    return top(TOP, source_age())


def stale_limit() -> str:
    """The threshold of a source that is out of date, where it matters."""
    return near_threshold(source_age(), STALE_SECONDS, "source")


def source_duration() -> str:
    """By source: seconds that it took, on the copy where it took longest."""
    return gauge("exporter_source_duration_seconds")


def slowest_sources() -> str:
    """By source: the longest durations."""
    return top(TOP, source_duration())


def scrape_errors() -> str:
    """Parts of Redis per second that scrapes had to leave out."""
    return rate("exporter_scrape_errors_total", keep=NONE)


def scrape_errors_by_cause() -> str:
    """By cause: the same, where there are any."""
    return top(TOP, f"{rate('exporter_scrape_errors_total', keep=('cause',))} > 0")


# Each copy by itself.


def scrape_duration() -> str:
    """Seconds that a scrape takes."""
    return each_copy("exporter_scrape_duration_seconds")


def longest_scrapes() -> str:
    """The same, the copies that take longest."""
    return top(TOP, scrape_duration())


def versions() -> str:
    """By version: 1 for each copy that runs it."""
    return each_copy("exporter_build_info")


def reads_redis() -> str:
    """1 for each copy that reads Redis, else 0."""
    return each_copy("redis_up")


def memory() -> str:
    """Resident bytes of each copy's process."""
    return each_copy("process_resident_memory_bytes")


def most_memory() -> str:
    """The same, the copies with the most."""
    return top(TOP, memory())


def cpu() -> str:
    """Processors that each copy keeps busy; 1 is one of them all the time."""
    return f"rate({selector('process_cpu_seconds_total')}[$__rate_interval])"


def most_cpu() -> str:
    """The same, the copies that use the most."""
    return top(TOP, cpu())


def files_share() -> str:
    """Share of the files and connections that each copy may have open."""
    return f"{selector('process_open_fds')} / {selector('process_max_fds')}"


def uptime() -> str:
    """Seconds since each copy started."""
    return f"time() - {each_copy('process_start_time_seconds')}"


def python() -> str:
    """By python, its version: 1 for each copy. ``version`` would be taken for that of the exporter."""
    named = f'label_join({selector("python_info")}, "python", "", "version")'
    return f"max without (version, implementation, major, minor, patchlevel) ({named})"


# Counts on their way from the workers.


def flush_age() -> str:
    """Seconds that the oldest count of any worker waited to be handed over."""
    return recorded("fleet:bioagents_worker_flush_age_seconds:max")


def flush_limit() -> str:
    """The threshold of counts that come late, where it matters."""
    return near_threshold(flush_age(), LATE_SECONDS)


def counts_dropped() -> str:
    """Counts per second that workers gave up."""
    return rate("metrics_dropped_total", keep=NONE)


def middleware_errors() -> str:
    """Errors per second inside the workers' middleware."""
    return rate("middleware_errors_total", keep=NONE)
