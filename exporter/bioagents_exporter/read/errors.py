"""What can go wrong with a read: why Redis as a whole, or a part of it, could not be read.

Exception
├── ReadError          Redis could not be read; states the cause, without a secret
└── ValueError
    └── EndpointError  the address of Redis cannot be used

Imports nothing outside this project: the catalogue of metrics lists the causes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """Values of the label ``cause``: a closed set, so that the series of each cause exists at 0."""

    REDIS_UNREACHABLE = "redis_unreachable"  # no connection, or it broke or timed out
    REDIS_DENIED = "redis_denied"  # wrong user or password, or a right is missing in the ACL
    REDIS_LOADING = "redis_loading"  # Redis still loads its data set
    REDIS_REPLICA_STALE = "redis_replica_stale"  # a replica without its primary that refuses to answer
    REDIS_CLUSTER = "redis_cluster"  # a cluster that cannot be read: no hash tag, slot moved or down
    REDIS_ERROR = "redis_error"  # any other error reply, a wrong database or no Redis at all
    WRONG_TYPE = "wrong_type"  # a key whose type is not the one that Dramatiq or JobMetrics uses
    BAD_NAME = "bad_name"  # a queue name that no queue can have: not UTF-8, ``.DQ``, ``__acks__…``
    TOO_MANY_QUEUES = "too_many_queues"  # more queues than one exporter publishes
    TOO_MANY_BROKERS = "too_many_brokers"  # more Dramatiq heartbeats than an audit reads
    BAD_HEARTBEAT = "bad_heartbeat"  # a worker's heartbeat that does not follow the wire format
    BAD_TOTALS = "bad_totals"  # a totals hash, a field of it, or the sequences that do not
    HEAD_UNREADABLE = "head_unreadable"  # the next message of a queue is JSON that no worker can read
    DELAYED_UNREADABLE = "delayed_unreadable"  # delayed messages in JSON that no worker can read


#: All causes, for the series that exist at 0 from the start.
CAUSES: tuple[str, ...] = tuple(cause.value for cause in Cause)

#: First word of an error reply → cause.
_CODES: Final = {
    "WRONGTYPE": Cause.WRONG_TYPE,
    "NOAUTH": Cause.REDIS_DENIED,
    "NOPERM": Cause.REDIS_DENIED,
    "WRONGPASS": Cause.REDIS_DENIED,
    "LOADING": Cause.REDIS_LOADING,
    "MASTERDOWN": Cause.REDIS_REPLICA_STALE,
    "MOVED": Cause.REDIS_CLUSTER,
    "ASK": Cause.REDIS_CLUSTER,
    "CROSSSLOT": Cause.REDIS_CLUSTER,
    "CLUSTERDOWN": Cause.REDIS_CLUSTER,
}


class EndpointError(ValueError):
    """The address of Redis cannot be used; the message holds no secret."""


class ReadError(Exception):
    """Redis could not be read. ``stale``: a connection that had worked was found broken."""

    def __init__(self, cause: Cause, reason: str, *, stale: bool = False) -> None:
        super().__init__(reason)
        self.cause, self.reason, self.stale = cause, reason, stale


def cause_of(error: Exception) -> Cause:
    """The cause of an error reply, by its first word."""
    return _CODES.get(str(error).split(" ", 1)[0], Cause.REDIS_ERROR)
