"""The first row: is Redis sound, do the exporter's copies answer, are their numbers fresh and whole?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat

from bioagents_dashboards.boards.parts import NO_EXPORTER, redis_panel
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.panels import Target, Text, stat_panel
from bioagents_dashboards.queries import exporter, redis


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet: four on Redis, four on the exporter."""
    return [redis_panel(), *_redis(), *_exporter()]


def _redis() -> list[stat.Panel]:
    slow, full = redis.SLOW_SECONDS, redis.FULL
    return [
        stat_panel(
            Text(
                "Round trip",
                "How long Redis takes to answer one request, seen from the copy of the exporter for which "
                "it takes longest. Normal: a few milliseconds. From 100 ms on look at the network of that "
                "copy; where even the quickest copy needs so long half of the time, the alert RedisSlow "
                "begins: look for slow commands (SLOWLOG GET).",
                "Redis is down",
            ),
            Target(redis.round_trip()),
            unit="s",
            thresholds=style.thresholds(style.GOOD, (slow / 2, style.WARN), (slow, style.BAD)),
        ),
        stat_panel(
            Text(
                "Memory used",
                "Share of its memory limit (maxmemory) that Redis uses; the fullest server counts. Normal: "
                "below 70 %; at 90 % the alert RedisMemoryHigh begins. A full Redis takes no more jobs, or "
                "deletes some. Give it more memory, or find what fills it (redis-cli --memkeys).",
                "no limit is known",
            ),
            Target(redis.memory_share()),
            unit="percentunit",
            thresholds=style.thresholds(style.GOOD, (0.7, style.WARN), (full, style.BAD)),
        ),
        stat_panel(
            Text(
                "Evictions",
                "Keys per second that Redis throws away for want of memory. Normal: 0. Under a policy "
                "allkeys-… jobs are among them and lost: set noeviction, then give Redis more memory.",
                "Redis is down",
            ),
            Target(redis.evictions()),
            unit="ops",
            thresholds=style.more_than_none(),
        ),
    ]


def _exporter() -> list[stat.Panel]:
    stale = exporter.STALE_SECONDS
    return [
        stat_panel(
            Text(
                "Copies",
                "Copies of the exporter that answer Prometheus now. Normal: as many as you run. If one is "
                "missing the others still tell everything; the table below shows which ones answer.",
                NO_EXPORTER,
            ),
            Target(exporter.copies()),
            unit="short",
            thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
        ),
        stat_panel(
            Text(
                "Failing sources",
                "Sources of numbers that failed when they were last due, on any copy of the exporter that "
                "reads Redis. Normal: 0. What a failing source tells is missing on every board; the table of "
                "sources below names it.",
                "Redis is down",
            ),
            Target(exporter.failing_sources()),
            unit="short",
            thresholds=style.any_is_bad(),
        ),
        stat_panel(
            Text(
                "Oldest numbers",
                "Age of the numbers of the source that has been silent longest, on any copy. Normal: "
                "seconds; what is read in the background takes up to a minute. At 5 minutes the alert "
                "ExporterReadStale begins: read the exporter's log, then restart it.",
                NO_EXPORTER,
            ),
            Target(exporter.oldest_source()),
            unit="s",
            thresholds=style.thresholds(style.GOOD, (60, style.WARN), (stale, style.BAD)),
        ),
        stat_panel(
            Text(
                "Left out",
                "Errors per second because of which scrapes left something out, on the copy with the most. "
                "Normal: 0. The graph of errors below names the cause; its remedy stands in the runbook of "
                "ExporterScrapeErrors.",
                NO_EXPORTER,
            ),
            Target(exporter.scrape_errors()),
            unit="ops",
            thresholds=style.more_than_none(),
        ),
    ]
