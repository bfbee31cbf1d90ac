"""A thread for blocking work, one call after the other.

A daemon, unlike the threads of ``concurrent.futures``: while a call hangs on an unresponsive Redis the
process must still end within a second.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

_Job = Callable[[], None]


class Lane:
    """One thread, started at once; ``name`` is its name."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """What ``call`` returns or raises; to be called from the event loop."""
        outcome: Future[T] = Future()
        self._jobs.put(lambda: _settle(outcome, call))
        return asyncio.wrap_future(outcome)

    def close(self) -> None:
        """Take no more calls; the one under way is not waited for."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
