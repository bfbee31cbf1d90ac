"""The guard: a process that ends after the demo and removes all of its processes and files.

It makes the demo's folder, prints its path and leads the process group of all programs of the demo. Then it
reads its standard input, which ends when the demo closes it or dies, SIGKILL included. Then it kills the rest
of its group and removes the folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from typing import Final

import psutil

_TIMEOUT: Final = 10.0  # seconds in which killed processes must end
_STEP: Final = 0.02


def main() -> int:
    """Guard until standard input ends; the exit status is 1 if something could not be removed."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="bioagents-demo-")
    try:
        print(folder, flush=True)  # noqa: T201 - the demo reads it
        sys.stdin.buffer.read()
    finally:
        alone = _end_group()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if alone and not os.path.exists(folder) else 1  # noqa: PTH110 - a string from mkdtemp


def _end_group() -> bool:
    """Kill all other processes of this group; whether they have ended."""
    deadline = time.monotonic() + _TIMEOUT
    while others := _others():
        if time.monotonic() > deadline:
            return False
        for pid in others:
            _kill(pid)
        time.sleep(_STEP)
    return True


def _others() -> list[int]:
    group, own = os.getpgrp(), os.getpid()
    return [pid for pid in psutil.pids() if pid != own and _group(pid) == group and not _is_zombie(pid)]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:  # it has just ended, or belongs to another user
        return -1


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
