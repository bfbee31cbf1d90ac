"""What the hooks write down: one tuple for each thing that happened, in a list of the thread's own.

An Interrupt (time limit, shutdown) may be raised between any two bytecodes of a hook. One ``append`` of a
finished tuple cannot be torn apart, takes no lock and waits for nothing; all arithmetic is left to the
flusher's thread (:mod:`bioagents_worker._tally`).

Events, by their first element:

- ``(START, monotonic ns, queue, actor, message id, ready ms or None, message timestamp ms)``
- ``(END, monotonic ns, exception class or None, message failed)``; without an open START of its thread it is
  the second report of one attempt and means nothing
- ``(SKIP, message failed)``
- ``(FIRST, message id)``: about to be enqueued for the first time
- ``(ENQUEUED, message id, queue, actor)``: an enqueue that succeeded; counts where its FIRST came before
- ``(RETRY, queue, actor)`` and ``(DEAD, queue, actor)``
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from typing import Final

START: Final = 0
END: Final = 1
SKIP: Final = 2
FIRST: Final = 3
ENQUEUED: Final = 4
RETRY: Final = 5
DEAD: Final = 6

Event = tuple[object, ...]


class _Owner:
    """Lives as long as the thread (or greenlet) whose local storage holds it."""

    __slots__ = ("__weakref__",)


class Log:
    """The events of one thread. Only its thread appends, only the flusher takes."""

    __slots__ = ("_events", "_owner", "append")

    def __init__(self, owner: _Owner) -> None:
        self._owner = weakref.ref(owner)
        self._events: list[Event] = []
        self.append = self._events.append

    @property
    def ended(self) -> bool:
        """Whether the thread is gone, so that nothing will be appended any more."""
        return self._owner() is None

    def take(self) -> list[Event]:
        """All events so far, removed; appends that happen meanwhile stay for the next call."""
        n = len(self._events)
        taken = self._events[:n]
        del self._events[:n]
        return taken


class Recorder:
    """The logs of all threads of this process."""

    def __init__(self) -> None:
        self._logs: list[Log] = []

    def open(self, owner: _Owner) -> Log:
        """A new log, for the calling thread."""
        log = Log(owner)
        self._logs.append(log)
        return log

    def drain(self) -> Iterator[tuple[Log, list[Event], bool]]:
        """Each log with its new events, and whether its thread is gone; such a log is forgotten."""
        for log in self._logs.copy():
            ended = log.ended  # before the events: what was appended before the end is taken below
            yield log, log.take(), ended
            if ended:
                self._logs.remove(log)


class ThreadLocal(threading.local):
    """``append`` of the calling thread's log; ``consumer`` is true in Dramatiq's consumer threads."""

    consumer = False

    def __init__(self, recorder: Recorder) -> None:
        self._owner = _Owner()
        self.append = recorder.open(self._owner).append
