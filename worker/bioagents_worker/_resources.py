"""Memory and CPU of this process, and its memory limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

#: cgroup v1 reports "no limit" as a number near 2**63.
_NO_LIMIT: Final = 1 << 62
_MAX_AGE: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Usage:
    """One reading."""

    rss: int  # bytes
    cpu: float  # seconds, user and system
    limit: int  # bytes: the smallest of the cgroups' limits and the host's memory


class Resources:
    """Reads at most once a second, and returns the last reading in between."""

    def __init__(self, *, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        """``proc`` and ``cgroups``: other paths for tests."""
        self._process, self._proc, self._cgroups = psutil.Process(), proc, cgroups
        self._last: Usage | None = None
        self._read_at = 0.0

    def usage(self) -> Usage:
        """The current reading, at most a second old."""
        now = time.monotonic()
        if self._last is None or now - self._read_at >= _MAX_AGE:
            with self._process.oneshot():
                cpu = self._process.cpu_times()
                rss = self._process.memory_info().rss
            self._last = Usage(rss, cpu.user + cpu.system, memory_limit(self._proc, self._cgroups))
            self._read_at = now
        return self._last


def memory_limit(proc: Path, cgroups: Path) -> int:
    """The memory limit of this process in bytes, by cgroup v2 or v1; without a limit the host's memory.

    A limit of a cgroup holds for everything below it, so parents are read too. In a container, the path in
    ``/proc/self/cgroup`` may not exist under ``/sys/fs/cgroup``; its root is then the container's cgroup.
    """
    limits = [psutil.virtual_memory().total]
    for line in _read(proc / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            limits += _limits_up(cgroups, path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits_up(cgroups / "memory", path, "memory.limit_in_bytes")
    return min(limits)


def _limits_up(root: Path, path: str, name: str) -> list[int]:
    folder = root / path.lstrip("/")
    if ".." in folder.parts or not folder.is_dir():
        folder = root
    found = []
    while True:
        text = _read(folder / name).strip()
        if text.isdigit() and int(text) < _NO_LIMIT:
            found.append(int(text))
        if folder == root:
            return found
        folder = folder.parent


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
