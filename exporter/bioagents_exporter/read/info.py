"""What INFO says, and the server's clock between two reads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from bioagents_exporter.read.resp import pack
from bioagents_exporter.read.snapshot import Server

INFO: Final = pack("INFO")
_MICROSECONDS: Final = 1e6


class Clock:
    """The server's clock, carried on by our monotonic one; callers' clocks are compared with it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def set(self, server_time: float) -> None:
        """The server has just said what time it is."""
        self._offset = server_time - time.monotonic()

    def now(self) -> float:
        """Unix seconds by the server's clock."""
        return self._offset + time.monotonic()


def parse_info(text: bytes) -> dict[str, str]:
    """The fields of INFO; comments and whatever else is no field are left out."""
    pairs = (line.partition(":") for line in text.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in pairs if colon}


def server_of(info: Mapping[str, str], fallback_time: float) -> Server:
    """The server that answered; a managed service may hide any field.

    ``fallback_time`` stands for the server's clock where INFO does not show it (before Redis 6.2).
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
        link_up=None if link is None else link == "up",
        lag=float(lag) if lag >= 0 else None,
    )


def _integer(info: Mapping[str, str], name: str, default: int = 0) -> int:
    try:
        return int(info[name])
    except (KeyError, ValueError):
        return default
