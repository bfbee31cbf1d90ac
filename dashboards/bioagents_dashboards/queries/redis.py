"""Whether Redis is sound.

Copies may read different servers, a primary and its replicas. Where that matters the worst of them counts.
"""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import (
    NONE,
    TOP,
    each_copy,
    gauge,
    near_limit,
    near_threshold,
    over_copies,
    rate,
    selector,
    top,
)

#: Where the alert RedisSlow begins.
SLOW_SECONDS: Final = 0.1
#: Where the alert RedisMemoryHigh begins.
FULL: Final = 0.9
#: Where the alert RedisReplicationBroken begins.
LAG_SECONDS: Final = 30


def redis_up() -> str:
    """1 while at least one copy of the exporter reads Redis."""
    return gauge("redis_up")


def up_for_each_copy() -> str:
    """1 for each copy that reads Redis, 0 for each that cannot; nothing of copies that do not answer."""
    return top(TOP, each_copy("redis_up"))


def round_trip() -> str:
    """Seconds that one request takes, of the copy for which it takes longest."""
    return gauge("redis_round_trip_seconds")


def round_trip_of_each_copy() -> str:
    """The same, for each copy."""
    return top(TOP, each_copy("redis_round_trip_seconds"))


def slow_limit() -> str:
    """The threshold of a slow Redis, where it matters."""
    return near_threshold(round_trip(), SLOW_SECONDS)


def memory_share() -> str:
    """Share of the memory limit that is used, of the fullest server; nothing without a limit."""
    return over_copies(f"{selector('redis_memory_used_bytes')} / ({selector('redis_memory_max_bytes')} > 0)")


def memory_used() -> str:
    """Bytes that Redis uses."""
    return gauge("redis_memory_used_bytes")


def memory_limit() -> str:
    """Bytes that Redis may use, where it matters; nothing without a limit, which is 0."""
    return near_limit(memory_used(), f"({gauge('redis_memory_max_bytes')} > 0)")


def evictions() -> str:
    """Keys per second that Redis throws away for want of memory."""
    return rate("redis_evicted_keys_total", keep=NONE)


def servers() -> str:
    """By all that is known of a server: 1 for each kind that a copy reads."""
    return gauge("redis_info")


def replica_links() -> str:
    """1 while the link to the primary is up, for each copy that reads a replica."""
    return top(TOP, each_copy("redis_replica_link_up"))


def replica_lag() -> str:
    """Seconds since the replica heard from its primary, for each copy that reads a replica."""
    return top(TOP, each_copy("redis_replica_lag_seconds"))


def lag_limit() -> str:
    """The threshold of a replica that hears nothing, where it matters."""
    return near_threshold(gauge("redis_replica_lag_seconds"), LAG_SECONDS)
