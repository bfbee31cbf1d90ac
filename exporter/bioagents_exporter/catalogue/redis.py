"""The Redis that was read."""

from __future__ import annotations

from typing import Final

from bioagents_exporter.catalogue.metric import Metric

UP: Final = Metric(
    "redis_up",
    "gauge",
    (),
    "",
    "Is 1 while Redis answers with data that can be trusted, and 0 otherwise.",
    "1 when the read succeeded; 0 when it failed, while Redis loads its data, or on a replica whose link is "
    "down",
)
ROUND_TRIP: Final = Metric(
    "redis_round_trip_seconds",
    "gauge",
    (),
    "seconds",
    "Tells how long the first round trip of this read took.",
    "the exporter's monotonic clock around the first round trip of the read",
)
REPLICA_LINK_UP: Final = Metric(
    "redis_replica_link_up",
    "gauge",
    (),
    "",
    "Is 1 while the replica that was read is connected to its primary, and absent on a primary.",
    "INFO `master_link_status`",
)
REPLICA_LAG: Final = Metric(
    "redis_replica_lag_seconds",
    "gauge",
    (),
    "seconds",
    "Tells how long ago the replica that was read last heard from its primary, and is absent on a primary.",
    "INFO `master_last_io_seconds_ago`",
)
MEMORY_USED: Final = Metric(
    "redis_memory_used_bytes",
    "gauge",
    (),
    "bytes",
    "Tells how much memory Redis uses.",
    "INFO `used_memory`",
)
MEMORY_MAX: Final = Metric(
    "redis_memory_max_bytes",
    "gauge",
    (),
    "bytes",
    "Tells how much memory Redis may use, 0 without a limit.",
    "INFO `maxmemory`; divide by it only where it is above 0",
)
EVICTED: Final = Metric(
    "redis_evicted_keys_total",
    "counter",
    (),
    "keys",
    "Counts the keys that Redis threw away for want of memory; jobs among them are lost.",
    "INFO `evicted_keys`; starts again with each server process",
)
INFO: Final = Metric(
    "redis_info",
    "gauge",
    ("version", "software", "role", "mode", "maxmemory_policy", "aof"),
    "",
    "Is always 1 and carries facts of the server that was read.",
    "INFO: version; `software` redis or valkey; `role` master or slave; `mode` standalone, sentinel or "
    "cluster; maxmemory_policy; `aof` yes or no",
)
