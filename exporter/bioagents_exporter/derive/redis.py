"""The Redis that was read: whether its data can be published, and what INFO reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bioagents_exporter.derive.family import Family, Metric, single
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Snapshot

UP: Final = Metric(
    "redis_up",
    "gauge",
    (),
    "",
    "Whether Redis answers with data that can be trusted: 1 if it does, 0 otherwise.",
    "1 when the read succeeded; 0 when it failed, while Redis loads its data, or on a replica whose link is "
    "down",
)
ROUND_TRIP: Final = Metric(
    "redis_round_trip_seconds",
    "gauge",
    (),
    "seconds",
    "Duration of the first round trip of this read.",
    "the exporter's monotonic clock around the first round trip of the read",
)
REPLICA_LINK_UP: Final = Metric(
    "redis_replica_link_up",
    "gauge",
    (),
    "",
    "Whether the replica that was read is connected to its primary, absent on a primary.",
    "INFO `master_link_status`",
)
REPLICA_LAG: Final = Metric(
    "redis_replica_lag_seconds",
    "gauge",
    (),
    "seconds",
    "Time since the replica that was read last received data from its primary, absent on a primary.",
    "INFO `master_last_io_seconds_ago`",
)
MEMORY_USED: Final = Metric(
    "redis_memory_used_bytes",
    "gauge",
    (),
    "bytes",
    "Memory that Redis uses.",
    "INFO `used_memory`",
)
MEMORY_MAX: Final = Metric(
    "redis_memory_max_bytes",
    "gauge",
    (),
    "bytes",
    "Memory that Redis may use, 0 without a limit.",
    "INFO `maxmemory`; divide by it only where it is above 0",
)
EVICTED: Final = Metric(
    "redis_evicted_keys_total",
    "counter",
    (),
    "keys",
    "Number of keys that Redis evicted because its memory was full; jobs among them are lost.",
    "INFO `evicted_keys`; starts again with each server process",
)
REFUSED: Final = Metric(
    "redis_refused_writes_total",
    "counter",
    ("error",),
    "commands",
    "Number of commands that Redis refused because it takes no writes: its memory is full (OOM), its last "
    "save failed (MISCONF) or it has too few replicas (NOREPLICAS).",
    "INFO `errorstat_OOM`, `errorstat_MISCONF`, `errorstat_NOREPLICAS` (since Redis 6.2)",
)
INFO: Final = Metric(
    "redis_info",
    "gauge",
    ("version", "software", "role", "mode", "maxmemory_policy", "aof"),
    "",
    "Information about the server that was read, as labels; the value is always 1.",
    "INFO: version; `software` redis or valkey; `role` master or slave; `mode` standalone, sentinel or "
    "cluster; maxmemory_policy; `aof` yes or no",
)


def trouble(snapshot: Snapshot) -> str:
    """Why nothing of this read may be published, in one line, or "".

    Redis could not be read; or it is still loading its data; or it is a replica whose link to the primary is
    down, so that its data is out of date.
    """
    server = snapshot.server
    if server is None:
        return snapshot.failure or "Redis could not be read"
    if server.loading:
        return "Redis is loading its data set"
    return "the replica's link to its primary is down" if server.link_up is False else ""


def causes(snapshot: Snapshot) -> Counter[str]:
    """What had to be left out, by cause; the reader has counted what it could not read."""
    found = Counter(snapshot.errors)
    server = snapshot.server
    if server is not None and server.loading:
        found[Cause.REDIS_LOADING] += 1
    elif server is not None and server.link_up is False:
        found[Cause.REDIS_REPLICA_STALE] += 1
    return found


def reach(snapshot: Snapshot) -> list[Family]:
    """Whether this copy can read Redis; published by every copy, also when the read failed."""
    found = [single(UP, 0 if trouble(snapshot) else 1)]
    if snapshot.server is not None:
        found.append(single(ROUND_TRIP, snapshot.round_trip))
        found += _replication(snapshot.server)
    return found


def _replication(server: Server) -> Iterator[Family]:
    if server.link_up is not None:
        yield single(REPLICA_LINK_UP, int(server.link_up))
    if server.lag is not None:
        yield single(REPLICA_LAG, server.lag)


def families(server: Server) -> Iterator[Family]:
    """What INFO reports."""
    yield single(MEMORY_USED, server.memory_used)
    yield single(MEMORY_MAX, server.memory_max)
    yield single(EVICTED, server.evicted_keys)
    yield Family(REFUSED, [(error,) for error in server.refused_writes], [*server.refused_writes.values()])
    aof = "yes" if server.aof else "no"
    key = (server.version, server.software, server.role, server.mode, server.maxmemory_policy, aof)
    yield Family(INFO, [key], [1])
