"""The server that answered, as INFO describes it, and its clock between two reads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: Errors with which a server refuses writes: its memory is full, its last save failed, it lacks replicas.
REFUSALS: Final = ("OOM", "MISCONF", "NOREPLICAS")
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Server:
    """The server by its INFO; a managed service may hide any field."""

    run_id: str  # "" where it is hidden
    version: str
    software: str  # "redis" or "valkey"
    role: str  # "master" or "slave"
    mode: str  # "standalone", "sentinel" or "cluster"
    time: float  # unix seconds by the server's clock
    memory_used: int  # bytes
    memory_max: int  # bytes; 0: no limit
    maxmemory_policy: str
    evicted_keys: int
    aof: bool
    loading: bool
    refused_writes: Mapping[str, int] = field(default_factory=dict)  # error → how often, see REFUSALS
    link_up: bool | None = None  # of a replica to its primary
    lag: float | None = None  # seconds since a replica last heard from its primary


class Clock:
    """The server's clock, continued with our monotonic one; times written by others are compared with it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def set(self, server_time: float) -> None:
        """Take the time that the server has just reported, in unix seconds."""
        self._offset = server_time - time.monotonic()

    def now(self) -> float:
        """Unix seconds by the server's clock."""
        return self._offset + time.monotonic()


def parse_info(text: bytes) -> dict[str, str]:
    """The fields of INFO; comments and all other lines are left out."""
    pairs = (line.partition(":") for line in text.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in pairs if colon}


def server_of(info: Mapping[str, str], fallback_time: float) -> Server:
    """The server with these fields.

    ``fallback_time``, unix seconds, is used where INFO does not show the server's clock (before Redis 6.2).
    """
    valkey = info.get("valkey_version")
    link = info.get("master_link_status")
    lag = _integer(info, "master_last_io_seconds_ago", -1)
    return Server(
        run_id=info.get("run_id", ""),
        version=valkey or info.get("redis_version", ""),
        software="valkey" if valkey else "redis",
        role=info.get("role", "master"),
        mode=info.get("redis_mode", "standalone"),
        time=_integer(info, "server_time_usec") / _MICROSECONDS or fallback_time,
        memory_used=_integer(info, "used_memory"),
        memory_max=_integer(info, "maxmemory"),
        maxmemory_policy=info.get("maxmemory_policy", ""),
        evicted_keys=_integer(info, "evicted_keys"),
        aof=info.get("aof_enabled") == "1",
        loading=info.get("loading") == "1",
        refused_writes={error: _count(info.get(f"errorstat_{error}", "")) for error in REFUSALS},
        link_up=None if link is None else link == "up",
        lag=float(lag) if lag >= 0 else None,
    )


def _count(stat: str) -> int:
    """The number in ``count=5``; 0 without one, since INFO shows only errors that occurred."""
    number = stat.removeprefix("count=").partition(",")[0]
    return int(number) if number.isdecimal() else 0


def _integer(info: Mapping[str, str], name: str, default: int = 0) -> int:
    try:
        return int(info[name])
    except (KeyError, ValueError):
        return default
