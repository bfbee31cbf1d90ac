"""The events that the hooks record: one tuple each, in a list of the calling thread.

Dramatiq may raise an Interrupt (time limit, shutdown) between any two bytecodes of a hook. Appending a
finished tuple is atomic and needs no lock; all arithmetic is done in the flusher's thread
(:mod:`bioagents_worker._tally`).

Events, by their first element:

- ``(START, monotonic ns, queue, actor, Redis message id, stamp, message timestamp)``; the last two as
  :func:`bioagents_worker.wire.ready_time` takes them
- ``(END, monotonic ns, exception class or None, message failed)``; without a START of its thread before it is
  the second report of one attempt, and is ignored
- ``(SKIP, message failed)``
- ``(ENQUEUED, queue, actor)``, ``(RETRY, queue, actor)`` and ``(DEAD, queue, actor)``
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dramatiq.broker import MessageProxy

START: Final = 0
END: Final = 1
SKIP: Final = 2
ENQUEUED: Final = 3
RETRY: Final = 4
DEAD: Final = 5

Event = tuple[object, ...]


class _Owner:
    """An object of a thread's (or greenlet's) local storage: it is collected when the thread ends."""

    __slots__ = ("__weakref__",)


class Log:
    """The events of one thread: only this thread appends, only the flusher takes."""

    __slots__ = ("_events", "_owner", "append", "home")

    def __init__(self, owner: _Owner) -> None:
        self._owner = weakref.ref(owner)
        #: The work queue of Dramatiq's worker thread, which all threads of one Worker share; otherwise None.
        self.home: object = getattr(threading.current_thread(), "work_queue", None)
        self._events: list[Event] = []
        self.append = self._events.append

    @property
    def ended(self) -> bool:
        """Whether the thread has ended, so that nothing more will be appended."""
        return self._owner() is None

    def take(self) -> list[Event]:
        """Remove and return all events; what is appended during the call stays for the next one."""
        n = len(self._events)
        taken = self._events[:n]
        del self._events[:n]
        return taken


class Recorder:
    """The logs of all threads in this process."""

    def __init__(self) -> None:
        self._logs: list[Log] = []

    def open(self, owner: _Owner) -> Log:
        """A new log for the calling thread."""
        log = Log(owner)
        self._logs.append(log)
        return log

    def drain(self) -> Iterator[tuple[Log, list[Event], bool]]:
        """Each log with its new events, and whether its thread has ended; such a log is removed."""
        for log in self._logs.copy():
            ended = log.ended  # read first: events appended before the end are then taken below
            yield log, log.take(), ended
            if ended:
                self._logs.remove(log)


class ThreadLocal(threading.local):
    """``append`` of the calling thread's log, and what this thread does.

    Attributes:
        attempt: The message of its last attempt, as a proxy; None if it had none.
        consumer: Whether it is one of Dramatiq's consumer threads.
        moves: Whether its enqueue moves a delayed job that is due to its queue.
    """

    attempt: MessageProxy | None = None
    consumer = moves = False

    def __init__(self, recorder: Recorder) -> None:
        self._owner = _Owner()
        self.append = recorder.open(self._owner).append
