"""The checks before an exporter serves: can Redis be read, and does it hold anything of the namespace?"""

from __future__ import annotations

import time
from typing import Final

import redis
from redis.connection import AbstractConnection

from bioagents_exporter.read.endpoint import endpoint_of
from bioagents_exporter.read.errors import Cause, ReadError
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import Secret, Settings, SettingsError

#: Causes that pass by themselves: ``--redis.wait`` starts in spite of them.
PASSING: Final = (Cause.REDIS_UNREACHABLE, Cause.REDIS_LOADING, Cause.REDIS_REPLICA_STALE)

_WAIT: Final = "--redis.wait starts without it"
_EXPECTED: Final = {
    Cause.REDIS_UNREACHABLE: f"expected Redis or Valkey to answer there; {_WAIT}",
    Cause.REDIS_LOADING: f"expected Redis to have its data; {_WAIT}",
    Cause.REDIS_REPLICA_STALE: f"expected a replica that reaches its primary; {_WAIT}",
    Cause.REDIS_CLUSTER: "expected a single Redis, or a namespace with a hash tag, such as {dramatiq}",
    Cause.REDIS_ERROR: "expected a Redis or Valkey server with this database",
}
_HEARTBEATS: Final = ":__heartbeats__"  # every Dramatiq namespace that was ever used has this key
_SCAN_SECONDS: Final = 0.5
_MOST_NAMESPACES: Final = 10


def refusal(snapshot: Snapshot, settings: Settings) -> str:
    """Why an exporter with these settings cannot work here, and what was expected; empty if it can."""
    failure = snapshot.failure.rstrip(".")
    for cause, expected in _EXPECTED.items():
        if cause in snapshot.errors and not (settings.redis_wait and cause in PASSING):
            return f"--redis.url {settings.redis_url}: {failure or cause.value}: {expected}"
    if Cause.REDIS_DENIED in snapshot.errors:
        reason = failure or "Redis refuses a part of the read"
        return f"--redis.url {settings.redis_url}: {reason}: expected {_rights(settings)}"
    return ""


def check(snapshot: Snapshot, settings: Settings) -> None:
    """Raises SettingsError, one line, where an exporter cannot work with what its first read found."""
    reason = refusal(snapshot, settings)
    if reason:
        raise SettingsError(reason)


def is_empty(snapshot: Snapshot) -> bool:
    """Whether a read that succeeded found nothing of Dramatiq nor of ours."""
    found = snapshot.workers or snapshot.totals or snapshot.stores
    jobs = any(q.waiting or q.messages or q.delayed or q.dead for q in snapshot.queues)
    return snapshot.server is not None and not (snapshot.used or found or jobs)


def nothing_found(settings: Settings, others: tuple[str, ...] = ()) -> str:
    """The warning for a namespace without anything in it."""
    text = f"namespace {settings.namespace!r}: nothing of Dramatiq or JobMetrics in it yet"
    found = ", ".join(repr(name) for name in others if name != settings.namespace)  # ours may have come since
    return f"{text}; this Redis has {found}" if found else text


def _rights(settings: Settings) -> str:
    keys = f"~{settings.namespace}:* ~bioagents:*"
    return f"user and password in the URL, of a user that may: +@read +ping +info +select -keys {keys}"


def namespaces(url: Secret) -> tuple[str, ...]:
    """Dramatiq namespaces that a short scan finds; none where scanning is not possible."""
    try:
        link = endpoint_of(url).connect()
    except ReadError:
        return ()
    try:
        return tuple(sorted(_scan(link, time.monotonic() + _SCAN_SECONDS))[:_MOST_NAMESPACES])
    except (redis.RedisError, OSError):
        return ()
    finally:
        link.disconnect()  # type: ignore[no-untyped-call]  # of redis-py


def _scan(link: AbstractConnection, deadline: float) -> set[str]:
    found: set[str] = set()
    cursor = b"0"
    while time.monotonic() < deadline:
        command = ("SCAN", cursor, "MATCH", f"*{_HEARTBEATS}", "COUNT", 1000)
        link.send_command(*command)  # type: ignore[no-untyped-call]  # of redis-py
        cursor, keys = link.read_response()
        found.update(key.decode(errors="backslashreplace").removesuffix(_HEARTBEATS) for key in keys)
        if int(cursor) == 0:
            break
    return found
