"""From events to counts: what each event adds to the totals of its queue, and which jobs are running.

The counting rules are those of the metrics reference; DESIGN: *pair an attempt's end with a start that we
recorded, popped once*.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from dramatiq import RateLimitExceeded, Retry
from dramatiq.common import q_name
from dramatiq.middleware import Shutdown

from bioagents_worker import events, wire
from bioagents_worker.events import Event, Log

#: Differences: queue → field of its totals hash → increment.
Counts = dict[str, dict[str, int]]

_BUCKETS_US: Final = tuple(int(bound * 1_000_000) for bound in wire.BUCKETS)
_LATER: Final = (Retry, RateLimitExceeded, Shutdown)
#: Enqueues under way in one thread; more than this were begun and failed, and are forgotten.
_MAX_INTENTS: Final = 1_000

canonical = cache(q_name)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A START that has no END yet."""

    started_ns: int
    queue: str
    actor: str
    message_id: str


@dataclass(slots=True)
class _Thread:
    attempt: Attempt | None = None
    intents: dict[str, None] = field(default_factory=dict)


class Tally:
    """Adds up events; :attr:`counts` is what was not taken yet."""

    def __init__(self, declared: Container[str]) -> None:
        """``declared``: the names of the actors that get a label of their own."""
        self.counts: Counts = {}
        self.attempts = 0  # finished, since boot
        self.started: list[Attempt] = []  # since the last time someone emptied it
        self._declared = declared
        self._threads: dict[Log, _Thread] = {}
        self._exceptions: dict[str, set[str]] = {}

    def add(self, log: Log, new: list[Event], *, ended: bool, wall_minus_monotonic_ns: int) -> None:
        """Count the new events of one thread, in their order."""
        thread = self._threads.get(log)
        if thread is None:
            thread = self._threads[log] = _Thread()
        for event in new:
            self._count(thread, event, wall_minus_monotonic_ns)
        if ended:
            del self._threads[log]

    def running(self) -> Iterator[Attempt]:
        """Attempts under way."""
        return (thread.attempt for thread in self._threads.values() if thread.attempt is not None)

    def take(self) -> Counts:
        """The counts so far; from here on they are the caller's."""
        taken, self.counts = self.counts, {}
        return taken

    def inc(self, queue: str, name: str, n: int = 1) -> None:
        """Add to one field of a queue's totals."""
        fields = self.counts.get(queue)
        if fields is None:
            fields = self.counts[queue] = {}
        fields[name] = fields.get(name, 0) + n

    def _count(self, thread: _Thread, event: Any, offset_ns: int) -> None:  # noqa: ANN401 - see events.py
        kind = event[0]
        if kind == events.START:
            self._start(thread, event, offset_ns)
        elif kind == events.END:
            self._end(thread, event)
        elif kind == events.ENQUEUED:
            if event[1] in thread.intents:
                del thread.intents[event[1]]
                self.inc(canonical(event[2]), f"enqueued|{self._label(event[3])}")
        elif kind == events.FIRST:
            if len(thread.intents) >= _MAX_INTENTS:
                thread.intents.clear()
            thread.intents[event[1]] = None
        elif kind == events.SKIP:
            attempt, thread.attempt = thread.attempt, None
            if attempt and not event[1]:
                self.inc(attempt.queue, f"skipped|{attempt.actor}")
        elif kind == events.RETRY:
            self.inc(canonical(event[1]), f"retries|{self._label(event[2])}")
        else:
            self.inc(canonical(event[1]), f"dead|{self._label(event[2])}")

    def _start(self, thread: _Thread, event: Any, offset_ns: int) -> None:  # noqa: ANN401 - see events.py
        _, started_ns, queue_name, actor, message_id, ready_ms, timestamp_ms = event
        queue, actor = canonical(queue_name), self._label(actor)
        thread.attempt = Attempt(started_ns, queue, actor, message_id)
        self.started.append(thread.attempt)
        if not isinstance(ready_ms, (int, float)):
            ready_ms = timestamp_ms  # a producer without JobMetrics: right for a job sent directly
        wait_us = max(0, (started_ns + offset_ns) // 1000 - int(ready_ms * 1000))
        self._observe(queue, actor, "wait", wait_us)

    def _end(self, thread: _Thread, event: Any) -> None:  # noqa: ANN401 - see events.py
        attempt, thread.attempt = thread.attempt, None
        if attempt is None:
            return
        _, ended_ns, exception, failed = event
        queue, actor = attempt.queue, attempt.actor
        self.attempts += 1
        self.inc(queue, f"processed|{actor}")
        self._observe(queue, actor, "duration", max(0, ended_ns - attempt.started_ns) // 1000)
        if exception is None:
            if not failed:
                self.inc(queue, f"succeeded|{actor}")
        elif not issubclass(exception, _LATER):
            self.inc(queue, f"failures|{actor}|{self._exception(actor, exception.__name__)}")

    def _observe(self, queue: str, actor: str, histogram: str, value_us: int) -> None:
        self.inc(queue, f"{histogram}|{actor}|{bisect_left(_BUCKETS_US, value_us)}")
        self.inc(queue, f"{histogram}_us|{actor}", value_us)

    def _label(self, actor: str) -> str:
        return actor if actor in self._declared else wire.UNKNOWN_ACTOR

    def _exception(self, actor: str, name: str) -> str:
        """The class name; ``(other)`` once the actor has shown enough classes."""
        name = name.replace("|", "_")
        known = self._exceptions.setdefault(actor, set())
        if name not in known:
            if len(known) >= wire.MAX_EXCEPTIONS:
                return wire.OTHER_EXCEPTION
            known.add(name)
        return name
