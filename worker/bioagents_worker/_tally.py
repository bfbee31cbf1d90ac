"""From events to counts: what each event adds to the totals of its queue, and which attempts are running.

The rules are those of the metrics reference. The end of an attempt is paired with a start that was recorded
here, and used once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from dramatiq import RateLimitExceeded, Retry
from dramatiq.common import q_name
from dramatiq.middleware import Shutdown

from bioagents_worker._events import END, ENQUEUED, RETRY, SKIP, START, Event, Log
from bioagents_worker._failures import Failures
from bioagents_worker.wire import (
    BUCKETS,
    DURATION,
    MAX_EXCEPTIONS,
    OTHER,
    UNKNOWN_ACTOR,
    WAIT,
    RedisMessageId,
    bucket_field,
    counter_field,
    failures_field,
    milliseconds,
    ready_time,
    sum_field,
    text,
)

#: Queue → field of its totals hash → increment.
Increments = dict[str, dict[str, int]]

#: Canonical queue and actor label.
Place = tuple[str, str]

_BUCKETS_US: Final = tuple(int(bound * 1_000_000) for bound in BUCKETS)
_LATER: Final = (Retry, RateLimitExceeded, Shutdown)

#: Whether a thread with this home (see :class:`Log`) belongs to the worker that asks.
Mine = Callable[[object], bool]


def canonical(queue: object) -> str:
    """The queue to which a queue name of a message belongs; it may be that of a delay queue, or anything."""
    return _canonical(queue if isinstance(queue, str) else text(queue))


@lru_cache(maxsize=4_096)  # bounded, because the names come from messages
def _canonical(queue: str) -> str:
    return q_name(text(queue))


def anyone(home: object) -> bool:  # noqa: ARG001 - a Mine
    """Every thread is the worker's."""
    return True


class Attempt(NamedTuple):
    """One attempt, read from its START."""

    started_ns: int
    queue: str  # canonical
    actor: str  # its label
    redis_message_id: RedisMessageId


@dataclass(slots=True)
class _Done:
    """Attempts that the threads of one Worker have finished."""

    home: object  # see Log
    n: int = 0


@dataclass(slots=True)
class _Thread:
    done: _Done  # of its Worker
    start: Event | None = None  # its END has not come yet
    place: Place = ("", "")  # of the attempt


class _ActorCounts:
    """The attempts of one actor on one queue since the last :meth:`Tally.take`.

    Attributes, because every job adds to them: building no field names here, and the tuples of events, halve
    the CPU time of a job in the flusher's thread (``benchmarks/run.py hooks worker-cpu``).
    """

    __slots__ = ("duration_us", "durations", "processed", "succeeded", "wait_us", "waits")

    def __init__(self) -> None:
        self.processed = self.succeeded = self.duration_us = self.wait_us = 0
        self.durations = [0] * (len(_BUCKETS_US) + 1)
        self.waits = self.durations.copy()

    def fields(self, actor: str) -> Iterator[tuple[str, int]]:
        """The fields of the totals hash and their increments."""
        if self.processed:
            yield counter_field("processed", actor), self.processed
            yield sum_field(DURATION, actor), self.duration_us
        if self.succeeded:
            yield counter_field("succeeded", actor), self.succeeded
        if any(self.waits):
            yield sum_field(WAIT, actor), self.wait_us
        for histogram, buckets in ((DURATION, self.durations), (WAIT, self.waits)):
            for i, n in enumerate(buckets):
                if n:
                    yield bucket_field(histogram, actor, i), n


class Tally:
    """Adds up events; :meth:`take` returns what was added since the last call."""

    def __init__(self, declared: Container[str]) -> None:
        """``declared``: the names of the actors that have a label of their own."""
        self.failures = Failures()
        self._increments: Increments = {}
        self._by_place: dict[Place, _ActorCounts] = {}
        self._places: dict[tuple[str, str], Place] = {}  # of declared actors, by the names in messages
        self._done: dict[int, _Done] = {}  # by id of the home, which is kept so that no other gets its id
        self.started: list[Event] = []  # each START since the flusher emptied it last
        self._declared = declared
        self._threads: dict[Log, _Thread] = {}
        self._exceptions: dict[str, set[str]] = {}

    def add(self, log: Log, new: list[Event], *, ended: bool, wall_minus_monotonic_ns: int) -> None:
        """Count the new events of one thread, in order; one that cannot be counted does not stop others."""
        thread = self._threads.get(log)
        if thread is None:
            done = self._done.setdefault(id(log.home), _Done(log.home))
            thread = self._threads[log] = _Thread(done)
        rest = iter(new)
        for _ in range(len(new) + 1):
            try:
                self._add(thread, rest, wall_minus_monotonic_ns)
                break
            except Exception as error:  # noqa: BLE001 - a bug of ours, or a message that no type describes
                self.failures.add("events", error, f"cannot count an event: {type(error).__name__}")
        if ended:
            del self._threads[log]

    def _add(self, thread: _Thread, events: Iterator[Event], offset_ns: int) -> None:
        for event in events:
            if event[0] == START:
                self._start(thread, event, offset_ns)
            elif event[0] == END:
                self._end(thread, event)
            else:
                self._other(thread, event)

    def running(self, mine: Mine = anyone) -> Iterator[Attempt]:
        """The attempts in progress in the threads that are ``mine``."""
        for thread in self._threads.values():
            if thread.start is not None and mine(thread.done.home):
                yield self.attempt(thread.start)

    def finished(self, mine: Mine = anyone) -> int:
        """The number of attempts that these threads have finished since this process started."""
        return sum(done.n for done in self._done.values() if mine(done.home))

    def attempt(self, start: Any) -> Attempt:  # noqa: ANN401 - see events.py
        """The attempt of a START; made on request, because making one for every job would cost too much."""
        _, started_ns, queue_name, actor_name, id_, *_ = start
        return Attempt(started_ns, *self._place(queue_name, actor_name), RedisMessageId(text(id_)))

    def take(self) -> Increments:
        """Return the increments since the last call, and start again from zero."""
        taken, self._increments = self._increments, {}
        by_place, self._by_place = self._by_place, {}
        for (queue, actor), counts in by_place.items():
            taken.setdefault(queue, {}).update(counts.fields(actor))
        return taken

    def inc(self, queue: str, name: str, n: int = 1) -> None:
        """Add ``n`` to one field of a queue's totals."""
        fields = self._increments.get(queue)
        if fields is None:
            fields = self._increments[queue] = {}
        fields[name] = fields.get(name, 0) + n

    def _start(self, thread: _Thread, event: Any, offset_ns: int) -> None:  # noqa: ANN401 - see events.py
        _, started_ns, queue_name, actor_name, _, stamp, sent = event
        try:
            place = self._places[queue_name, actor_name]
        except (KeyError, TypeError):  # TypeError: a list or an object in place of a name
            place = self._place(queue_name, actor_name)
        thread.start, thread.place = event, place
        self.started.append(event)
        ready_ms = milliseconds(stamp) or ready_time(stamp, sent)  # one call less for most jobs
        wait_us = 0 if ready_ms is None else (started_ns + offset_ns) // 1000 - int(ready_ms * 1000)
        if wait_us < 0:  # noqa: PLR1730 - faster than max(); the producer's clock may be ahead
            wait_us = 0
        counts = self._by_place.get(place) or self._open(place)
        counts.waits[bisect_left(_BUCKETS_US, wait_us)] += 1
        counts.wait_us += wait_us

    def _end(self, thread: _Thread, event: Any) -> None:  # noqa: ANN401 - see events.py
        start, thread.start = thread.start, None
        if start is None:
            return
        _, ended_ns, exception, failed = event
        place = thread.place
        duration_us = (ended_ns - start[1]) // 1000
        counts = self._by_place.get(place) or self._open(place)
        counts.durations[bisect_left(_BUCKETS_US, duration_us)] += 1
        counts.duration_us += duration_us
        counts.processed += 1
        thread.done.n += 1
        if exception is None:
            if not failed:
                counts.succeeded += 1
        elif not issubclass(exception, _LATER):
            queue, actor = place
            self.inc(queue, failures_field(actor, self._exception(actor, exception.__name__)))

    def _other(self, thread: _Thread, event: Any) -> None:  # noqa: ANN401 - see events.py
        kind = event[0]
        if kind == ENQUEUED:
            self.inc(canonical(event[1]), counter_field("enqueued", self._label(event[2])))
        elif kind == SKIP:
            start, thread.start = thread.start, None
            if start and not event[1]:
                self.inc(thread.place[0], counter_field("skipped", thread.place[1]))
        elif kind == RETRY:
            self.inc(canonical(event[1]), counter_field("retries", self._label(event[2])))
        else:
            self.inc(canonical(event[1]), counter_field("dead", self._label(event[2])))

    def _open(self, place: Place) -> _ActorCounts:
        counts = self._by_place[place] = _ActorCounts()
        return counts

    def _place(self, queue_name: object, actor_name: object) -> Place:
        """Cached for declared actors only: other names must not fill the memory."""
        place = (canonical(queue_name), self._label(actor_name))
        if place[1] == actor_name and isinstance(queue_name, str):
            self._places[queue_name, actor_name] = place
        return place

    def _label(self, actor: object) -> str:
        return actor if isinstance(actor, str) and actor in self._declared else UNKNOWN_ACTOR

    def _exception(self, actor: str, name: str) -> str:
        """The class name; ``(other)`` if the actor already has enough classes."""
        name = name.replace("|", "_")
        known = self._exceptions.setdefault(actor, set())
        if name not in known:
            if len(known) >= MAX_EXCEPTIONS:
                return OTHER
            known.add(name)
        return name
