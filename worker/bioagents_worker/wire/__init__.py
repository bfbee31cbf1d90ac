"""The wire format: what workers and producers write to Redis and the exporter reads.

``keys`` names the Redis keys, ``totals`` the fields of the totals hashes, ``heartbeat`` the heartbeat of a
worker; each encoder has its decoder beside it. Anything that changes the meaning of a key or of a field needs
a new :data:`WIRE_VERSION`: an exporter reads the current version and the one before it.
"""

from __future__ import annotations

from bioagents_worker.wire.heartbeat import (
    MAX_LISTED_JOBS,
    Count,
    Identity,
    Offset,
    RunningJob,
    Seconds,
    State,
    decode_state,
    encode_beat,
    encode_identity,
    is_alive,
    missing_after,
    split_beat,
)
from bioagents_worker.wire.keys import READY_OPTION, WIRE_VERSION, Keys, hash_tag, parse_namespace
from bioagents_worker.wire.totals import (
    BUCKETS,
    COUNTERS,
    DROPPED,
    DURATION,
    EPOCH,
    MAX_EXCEPTIONS,
    MIDDLEWARE_ERRORS,
    OTHER,
    SERVER,
    UNKNOWN_ACTOR,
    WAIT,
    WHOLE_FLEET,
    ActorField,
    boots_field,
    bucket_field,
    counter_field,
    failures_field,
    parse_actor_field,
    parse_boots_field,
    sum_field,
)

__all__ = [
    "BUCKETS",
    "COUNTERS",
    "DROPPED",
    "DURATION",
    "EPOCH",
    "MAX_EXCEPTIONS",
    "MAX_LISTED_JOBS",
    "MIDDLEWARE_ERRORS",
    "OTHER",
    "READY_OPTION",
    "SERVER",
    "UNKNOWN_ACTOR",
    "WAIT",
    "WHOLE_FLEET",
    "WIRE_VERSION",
    "ActorField",
    "Count",
    "Identity",
    "Keys",
    "Offset",
    "RunningJob",
    "Seconds",
    "State",
    "boots_field",
    "bucket_field",
    "counter_field",
    "decode_state",
    "encode_beat",
    "encode_identity",
    "failures_field",
    "hash_tag",
    "is_alive",
    "missing_after",
    "parse_actor_field",
    "parse_boots_field",
    "parse_namespace",
    "split_beat",
    "sum_field",
]
