"""Why a part of Redis was left out of a read: a closed set, so that every cause exists as a series at 0."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Values of the label ``cause``; the comment is what an operator needs to know."""

    REDIS_UNREACHABLE = "redis_unreachable"  # no connection, or it broke or timed out
    REDIS_DENIED = "redis_denied"  # wrong user or password, or a right is missing in the ACL
    REDIS_LOADING = "redis_loading"  # Redis still loads its data set
    REDIS_REPLICA_STALE = "redis_replica_stale"  # a replica without its primary that refuses to answer
    REDIS_CLUSTER = "redis_cluster"  # a cluster that cannot be read: no hash tag, slot moved or down
    REDIS_ERROR = "redis_error"  # any other error reply, a wrong database or no Redis at all
    WRONG_TYPE = "wrong_type"  # a key of another type than Dramatiq's or ours
    BAD_NAME = "bad_name"  # a queue's name that no queue has: not UTF-8, ``.DQ``, ``__acks__…``
    TOO_MANY_QUEUES = "too_many_queues"  # more queues than one exporter publishes
    TOO_MANY_BROKERS = "too_many_brokers"  # more Dramatiq heartbeats than an audit reads
    BAD_HEARTBEAT = "bad_heartbeat"  # a worker's heartbeat that does not follow the wire format
    BAD_TOTALS = "bad_totals"  # a totals hash, a field of it, or the sequences that do not
    HEAD_UNREADABLE = "head_unreadable"  # the next message of a queue is no Dramatiq message in JSON
    HEAD_TOO_LARGE = "head_too_large"  # the next message of a queue is larger than a scrape reads
    DELAYED_UNREADABLE = "delayed_unreadable"  # sampled delayed messages without a readable due time


#: All causes, for the series that exist at 0 from the start.
CAUSES: tuple[str, ...] = tuple(cause.value for cause in Cause)
