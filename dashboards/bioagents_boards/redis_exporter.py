"""The board "Redis and exporter": is Redis healthy, and are the exporter's numbers complete and current?

Copies of the exporter may read different servers, a primary and its replicas. Where that matters the worst of
them counts.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import REDIS_EXPORTER
from bioagents_alerts.thresholds import REPLICA_LAG
from bioagents_boards import shared
from bioagents_boards.alerts import alerts_of
from bioagents_boards.exporter_panels import EXPORTER_ROWS, SOURCE_FAILS, STALE_SECONDS
from bioagents_boards.frame import Board
from bioagents_boards.panels import BY_COPY, BY_QUEUE, FLEET, LIMIT, THRESHOLD, Graph, Stat, Target, Timeline
from bioagents_boards.queries import (
    each_copy,
    gauge,
    highest,
    near_limit,
    near_threshold,
    over_copies,
    rate,
    recorded,
    selector,
    top,
)
from bioagents_boards.shared import NO_EXPORTER
from bioagents_boards.style import (
    ANY_IS_BAD,
    ANY_RATE_IS_BAD,
    BAD,
    CLEAR,
    ERRORS,
    GOOD,
    UP,
    UP_OR_DOWN,
    WARN,
    pattern_text,
    per_second,
    thresholds,
    value_text,
)
from bioagents_boards.tables import Label, Table, Value

_SLOW_SECONDS: Final = shared.begins("RedisSlow")
_FULL: Final = shared.begins("RedisMemoryHigh")
_KEYS: Final = per_second("keys")
_REDIS_DOWN: Final = "Redis is down"
_NO_REPLICA: Final = "no copy of the exporter reads a replica"
_ROUND_TRIP: Final = gauge("redis_round_trip_seconds")
_EVICTIONS: Final = rate("redis_evicted_keys_total")

_STATS: Final = (
    shared.redis_up(),
    Stat(
        "Round trip",
        "How long Redis takes to answer one request, on the copy of the exporter where it takes longest. "
        "Normal: a few milliseconds. From 100 ms: look at the network of that copy. Where even the quickest "
        "copy takes so long half of the time, RedisSlow fires: look for slow commands (SLOWLOG GET).",
        _ROUND_TRIP,
        unit="s",
        thresholds=thresholds(GOOD, (_SLOW_SECONDS / 2, WARN), (_SLOW_SECONDS, BAD)),
        empty=_REDIS_DOWN,
    ),
    Stat(
        "Memory used",
        "Share of its memory limit (maxmemory) that Redis uses, on the server with the highest share. "
        "Normal: below 70 %; at 90 % RedisMemoryHigh fires. A full Redis accepts no more jobs, or deletes "
        "some: give it more memory, or find out what fills it (redis-cli --memkeys).",
        recorded("fleet:bioagents_redis_memory:ratio"),
        unit="percentunit",
        thresholds=thresholds(GOOD, (0.7, WARN), (_FULL, BAD)),
        empty="no limit, or rules not loaded",
    ),
    Stat(
        "Evictions",
        "Keys per second that Redis deletes for lack of memory. Normal: 0. With a policy allkeys-… it "
        "deletes jobs too: set noeviction, then give Redis more memory.",
        _EVICTIONS,
        unit=_KEYS,
        thresholds=ANY_RATE_IS_BAD,
        empty=_REDIS_DOWN,
    ),
    Stat(
        "Copies",
        "Copies of the exporter that answer Prometheus now. Normal: as many as you run. If one is missing "
        "the others still publish everything; the table below shows which ones answer.",
        f"sum without (version) ({over_copies(selector('exporter_build_info'), how='count')})",
        thresholds=UP,
        empty=NO_EXPORTER,
    ),
    Stat(
        "Failing sources",
        "Sources of the exporter that failed when they were last read, on any copy of the exporter that "
        "reads Redis. Normal: 0. The numbers of a failing source are missing on every dashboard; the table "
        "“Sources of the exporter” shows which one fails.",
        f"sum without (source) ({SOURCE_FAILS})",
        thresholds=ANY_IS_BAD,
        empty=_REDIS_DOWN,
    ),
    Stat(
        "Oldest source",
        "Age of the exporter's oldest source, on any copy. Normal: seconds; up to a minute for those read "
        "in the background. At 5 minutes ExporterReadStale fires: read the exporter's log, then restart it.",
        highest(gauge("exporter_source_age_seconds"), "source"),
        which="{{source}}",
        unit="s",
        thresholds=thresholds(GOOD, (60, WARN), (STALE_SECONDS, BAD)),
        empty=NO_EXPORTER,
    ),
    Stat(
        "Scrape errors",
        "Errors per second because of which scrapes are incomplete, on the copy with the most. Normal: 0. "
        "The graph of errors below shows the cause; the runbook of ExporterScrapeErrors describes the fix.",
        rate("exporter_scrape_errors_total"),
        unit=ERRORS,
        thresholds=ANY_RATE_IS_BAD,
        empty=NO_EXPORTER,
    ),
)

# Redis.
_SERVERS: Final = Table(
    "Servers",
    "The servers that the copies of the exporter read: one row per distinct role and version. Normal: one "
    "row, or one for the primary and one for its replicas; when full, noeviction or volatile-…. With "
    "allkeys-… Redis deletes jobs. Without an append-only file (AOF) a restart loses what came after its "
    "last snapshot.",
    [
        Label("Fleet", label="fleet"),
        Label(
            "Role",
            label="role",
            mappings=[value_text("master", "primary"), value_text("slave", "replica")],
        ),
        Label("Software", label="software"),
        Label("Version", label="version"),
        Label("Mode", label="mode"),
        Label(
            "When full",
            label="maxmemory_policy",
            thresholds=thresholds(CLEAR),
            mappings=[pattern_text("^allkeys-.*$", BAD)],
        ),
        Label("AOF", label="aof"),
        Value("", query=gauge("redis_info")),
    ],
    empty=_REDIS_DOWN,
    width=12,
    height=6,
)


def _up_or_down(title: str, description: str, metric: str, empty: str) -> Timeline:
    return Timeline(
        title,
        description,
        Target(top(each_copy(metric)), BY_COPY),
        unit="bool_on_off",
        thresholds=UP,
        mappings=UP_OR_DOWN,
        height=6,
        empty=empty,
    )


_REDIS: Final = (
    _SERVERS,
    _up_or_down(
        "Redis as each copy sees it",
        "Each copy of the exporter by itself, ten at most: whether it could read Redis. Normal: every bar "
        "complete and blue. One red bar: the network or password of that copy. All red: Redis. A gap: that "
        "copy did not answer Prometheus.",
        "redis_up",
        NO_EXPORTER,
    ),
    Graph(
        "Memory of Redis",
        "Memory that Redis uses, and its limit (maxmemory, dashed), which appears above half of it. "
        "Normal: it follows the number of jobs in Redis. If it rises while queues do not, results, dead "
        "letters or keys of another application fill it.",
        [
            Target(gauge("redis_memory_used_bytes"), FLEET + " used"),
            Target(
                near_limit(gauge("redis_memory_used_bytes"), f"({gauge('redis_memory_max_bytes')} > 0)"),
                FLEET + LIMIT,
            ),
        ],
        unit="bytes",
        empty=_REDIS_DOWN,
    ),
    Graph(
        "Round trip of each copy",
        "How long Redis takes to answer one request, for each copy of the exporter by itself, the ten "
        "slowest. The dashed threshold of RedisSlow appears above half of it. Normal: a few milliseconds. "
        "One slow copy: its network. All slow: Redis; look for slow commands (SLOWLOG GET).",
        [
            Target(top(each_copy("redis_round_trip_seconds")), BY_COPY),
            Target(near_threshold(_ROUND_TRIP, _SLOW_SECONDS), FLEET + THRESHOLD),
        ],
        unit="s",
        empty=_REDIS_DOWN,
    ),
    Graph(
        "Evictions over time",
        "Keys per second that Redis deletes for lack of memory. Normal: 0 all the time. With a policy "
        "allkeys-… every rise is lost jobs: set noeviction.",
        [Target(_EVICTIONS)],
        unit=_KEYS,
        thresholds=ANY_RATE_IS_BAD,
        empty=_REDIS_DOWN,
    ),
    _up_or_down(
        "Replication link of each copy",
        "For each copy of the exporter that reads a replica, ten at most: whether that replica is "
        "connected to its primary. Normal: blue, or empty because every copy reads a primary. While a link "
        "is down its copy publishes nothing from it: find the current primary (INFO replication).",
        "redis_replica_link_up",
        _NO_REPLICA,
    ),
    Graph(
        "Replication lag of each copy",
        "For each copy of the exporter that reads a replica, top 10: how long ago that replica last "
        "received data from its primary, which is how old its numbers are. The dashed threshold of "
        "RedisReplicationBroken appears above half of it. Normal: below 10 seconds, or empty because every "
        "copy reads a primary. Higher: look at the replica and its network.",
        [
            Target(top(each_copy("redis_replica_lag_seconds")), BY_COPY),
            Target(near_threshold(gauge("redis_replica_lag_seconds"), REPLICA_LAG), FLEET + THRESHOLD),
        ],
        unit="s",
        width=12,
        height=6,
        empty=_NO_REPLICA,
    ),
    Graph(
        "Memory of messages by queue",
        "Memory that Redis uses for the messages of a queue, in all states together, top 10. Normal: it "
        "follows the number of jobs. If Redis becomes full, the highest line shows which queue fills it. "
        "Read in the background, so some minutes old.",
        [Target(top(gauge("queue_messages_bytes", keep=("queue",))), BY_QUEUE)],
        unit="bytes",
        width=12,
        empty="no queue, or the exporter's user may not run MEMORY USAGE",
    ),
    Graph(
        "Refused writes",
        "Commands per second that Redis refused because it takes no writes, by its error: OOM (memory is "
        "full), MISCONF (the last save failed), NOREPLICAS (too few replicas). Normal: empty. While it "
        "refuses, no job is enqueued and none ends: follow the runbook of RedisFull.",
        [Target(top(f"{rate('redis_refused_writes_total', keep=('error',))} > 0"), FLEET + " {{error}}")],
        unit=per_second("commands"),
        thresholds=ANY_RATE_IS_BAD,
        width=12,
        empty="no write was refused",
    ),
)

REDIS_EXPORTER_BOARD: Final = Board(
    REDIS_EXPORTER,
    "Redis and exporter",
    "Is Redis healthy, and are these numbers complete and current?",
    [*_STATS, alerts_of(REDIS_EXPORTER)],
    {
        "Redis server": _REDIS,
        **EXPORTER_ROWS,
    },
)
