"""Memory and CPU of this process, and its memory limit.

Each reading raises by itself: a file that cannot be read must not hide the numbers of the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

import psutil

T = TypeVar("T", int, float)

#: cgroup v1 reports "no limit" as a number near 2**63.
_NO_LIMIT: Final = 1 << 62
_MAX_AGE: Final = 1.0  # seconds


class _Recent(Generic[T]):
    """A reading that is made at most once a second; in between, its last result or error is repeated."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read: Callable[[], T] = read
        self._read_at = float("-inf")
        self._last: T | Exception

    def __call__(self) -> T:
        now = time.monotonic()
        if now - self._read_at >= _MAX_AGE:
            try:
                self._last = self._read()
            except Exception as error:  # noqa: BLE001 - raised below
                self._last = error
            self._read_at = now
        if isinstance(self._last, Exception):
            raise self._last.with_traceback(None)
        return self._last


class Resources:
    """Readings of this process that are at most a second old.

    Raises:
        Exception: From any reading whatever psutil, a file or its content causes.
    """

    def __init__(self, *, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        """``proc`` and ``cgroups``: other paths for tests."""
        self._proc, self._cgroups = proc, cgroups
        self.rss = _Recent(_rss)  # bytes
        self.cpu = _Recent(_cpu)  # seconds, user and system
        self.limit = _Recent(self._limit)  # bytes, see memory_limit

    def _limit(self) -> int:
        return memory_limit(self._proc, self._cgroups)


def _rss() -> int:
    return int(psutil.Process().memory_info().rss)


def _cpu() -> float:
    times = psutil.Process().cpu_times()
    return float(round(times.user + times.system, 2))


def memory_limit(proc: Path, cgroups: Path) -> int:
    """The memory limit of this process in bytes, by cgroup v2 or v1; without a limit the host's memory.

    A limit of a cgroup holds for everything below it, so parents are read too. In a container, the path in
    ``/proc/self/cgroup`` may not exist under ``/sys/fs/cgroup``; its root is then the container's cgroup.

    Raises:
        Exception: A file that exists cannot be read, so that the smallest limit is not known.
    """
    limits = [int(psutil.virtual_memory().total)]
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
        limit = _limit_in(_read(folder / name))
        if limit is not None:
            found.append(limit)
        if folder == root:
            return found
        folder = folder.parent


def _limit_in(text: str) -> int | None:
    """The limit in a cgroup's file, None for "max" and for an empty or missing file; ValueError otherwise."""
    words = text.split()
    if not words or words[0] == "max":
        return None
    limit = int(words[0])
    return limit if limit < _NO_LIMIT else None


def _read(path: Path) -> str:
    """The text of a file; bytes that are not UTF-8 are replaced, and a missing file is empty."""
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
