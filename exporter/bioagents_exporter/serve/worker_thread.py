"""A thread for blocking work, one call after the other.

It is a daemon, unlike the threads of ``concurrent.futures``: while a call waits for an unresponsive Redis the
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

_Call = Callable[[], None]


class WorkerThread:
    """One thread with this name, started at once."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """The result or exception of ``call``; to be called from the event loop."""
        outcome: Future[T] = Future()
        self._calls.put(lambda: _settle(outcome, call))
        return asyncio.wrap_future(outcome)

    def close(self) -> None:
        """Take no more calls, without waiting for the present one."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        outcome.set_exception(error)
    else:
        outcome.set_result(result)
