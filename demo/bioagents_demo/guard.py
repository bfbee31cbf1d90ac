"""The guard: a process that outlives the demo by a moment, so that nothing of it is left behind.

It makes the demo's folder, prints its path and leads the process group that every program of the demo joins.
Then it waits for the end of its standard input, which comes when the demo closes it or dies, in whatever way.
At that end it kills what is left of its group and removes the folder. Nothing here is worth a gentle stop.
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

_PATIENCE: Final = 10.0  # seconds until a killed process must have gone
_STEP: Final = 0.02


def main() -> int:
    """Guard until standard input ends; the exit status is 1 if something could not be removed."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="bioagents-demo-")
    try:
        print(folder, flush=True)  # noqa: T201 - the answer to the demo
        sys.stdin.buffer.read()
    finally:
        alone = _end_group()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if alone and not os.path.exists(folder) else 1  # noqa: PTH110 - a string from mkdtemp


def _end_group() -> bool:
    """Kill everyone else of this process group; whether they have gone."""
    deadline = time.monotonic() + _PATIENCE
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
    except OSError:  # it has just ended, or is none of our business
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
