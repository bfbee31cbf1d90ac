"""What can go wrong with Redis as a whole.

Exception
├── ReadError      this read is lost; says why, without a secret
└── ValueError
    └── SourceError   the address of Redis cannot be used
"""

from __future__ import annotations

from typing import Final

import hiredis
import redis

from bioagents_exporter.read.causes import Cause

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


class SourceError(ValueError):
    """The address of Redis is not one; the message holds no secret."""


class ReadError(Exception):
    """Redis could not be read. ``stale``: a connection that had worked was found broken."""

    def __init__(self, cause: Cause, reason: str, *, stale: bool = False) -> None:
        super().__init__(reason)
        self.cause, self.reason, self.stale = cause, reason, stale


def cause_of(error: hiredis.ReplyError) -> Cause:
    """The cause of an error reply."""
    return _CODES.get(str(error).split(" ", 1)[0], Cause.REDIS_ERROR)


def error_of(error: Exception) -> ReadError:
    """What redis-py raised while it connected."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (redis.AuthenticationError, redis.exceptions.NoPermissionError)):
        return ReadError(Cause.REDIS_DENIED, reason)
    if isinstance(error, redis.BusyLoadingError):
        return ReadError(Cause.REDIS_LOADING, reason)
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError, OSError)):
        return ReadError(Cause.REDIS_UNREACHABLE, reason)
    return ReadError(Cause.REDIS_ERROR, reason)
