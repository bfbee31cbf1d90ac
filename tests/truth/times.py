"""Bounds of the histograms of durations and waits, from the record alone.

An attempt lasts at least from the first to the last line of its actor, and at most from before to after
Dramatiq processed it. A job is ready when it is enqueued or when its delay is over: not before the sender
started to enqueue it (minus a millisecond, to which Dramatiq's times are cut), and not after a middleware's
hook was called.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families
from record import DECLARED

Place = tuple[str, str]  # queue, actor
_CUT = 0.001  # seconds: Dramatiq's times are whole milliseconds
_ROUNDING = 0.000_002  # seconds for each observation: ours are whole microseconds, the record's too


class Bounds(NamedTuple):
    """Seconds."""

    least: float
    most: float


@dataclass
class Attempt:
    """What one thread has written about its current attempt."""

    opened: float
    ready: Bounds
    first: float | None = None
    last: float | None = None
    skipped: bool = False


@dataclass
class Times:
    """Bounds of every observation."""

    durations: dict[Place, list[Bounds]] = field(default_factory=lambda: defaultdict(list))
    waits: dict[Place, list[Bounds]] = field(default_factory=lambda: defaultdict(list))
    _attempts: dict[str, Attempt] = field(default_factory=dict)  # by thread
    _begun: dict[str, float] = field(default_factory=dict)  # enqueues, by thread
    _ready: dict[str, Bounds] = field(default_factory=dict)  # by message
    _delayed: set[str] = field(default_factory=set)  # messages

    def read(self, path: Path) -> Times:
        """Read a whole record."""
        for line in path.read_text().splitlines():
            text, kind, queue, name, detail, thread = line.split(" ")
            self._line(float(text), kind, (queue, name if name in DECLARED else "(unknown)"), detail, thread)
        return self

    def _line(self, at: float, kind: str, place: Place, detail: str, thread: str) -> None:
        attempt = self._attempts.get(thread)
        if kind == "intent":
            self._begun[thread] = at
        elif kind == "offer":
            self._offer(at, *detail.split(","), thread)
        elif kind == "open":
            self._attempts[thread] = Attempt(at, self._ready[detail])
        elif attempt is None:
            return  # an asyncio actor's line, from the thread of the event loop
        elif kind == "taken":
            ready = attempt.ready
            self.waits[place].append(Bounds(max(0, attempt.opened - ready.most), max(0, at - ready.least)))
        elif kind == "start":
            attempt.first = at
        elif kind in {"end", "raise"}:
            attempt.last = at
        elif kind in {"skip", "expired"}:
            attempt.skipped = True
        elif kind == "close":
            self._close(at, self._attempts.pop(thread), place)

    def _offer(self, at: float, message: str, delay_text: str, thread: str) -> None:
        delay = None if delay_text == "None" else int(delay_text) / 1000
        if delay is None and message in self._delayed:
            self._delayed.remove(message)  # its delay is over: it moves to its queue
            return
        if delay is not None:
            self._delayed.add(message)
        self._ready[message] = Bounds(self._begun[thread] - _CUT + (delay or 0), at + (delay or 0))

    def _close(self, at: float, attempt: Attempt, place: Place) -> None:
        if attempt.skipped:
            return
        own = attempt.last - attempt.first if attempt.first and attempt.last else 0.0
        self.durations[place].append(Bounds(own, at - attempt.opened))


def violations(path: Path, exposition: str) -> list[str]:
    """One line for each sum and each bucket of the exposition that is out of bounds."""
    times = Times().read(path)
    found = []
    for family in text_string_to_metric_families(exposition):
        name = family.name.removeprefix("bioagents_")
        if name not in {"job_duration_seconds", "job_wait_seconds"}:
            continue
        seen: dict[tuple[Place, str], float] = defaultdict(float)  # of both wire versions
        for sample in family.samples:
            place = (sample.labels["queue"], sample.labels["actor"])
            seen[place, sample.labels.get("le", sample.name.rpartition("_")[2])] += sample.value
        observed = times.durations if name == "job_duration_seconds" else times.waits
        for (place, what), value in seen.items():
            bounds = _bounds(observed.get(place, []), what)
            if not bounds.least <= value <= bounds.most:
                found.append(f"{name} {place} {what}: {value}, expected {bounds}")
    return found


def _bounds(observed: list[Bounds], what: str) -> Bounds:
    """The bounds of the sum, of the count, or of the bucket with an upper bound."""
    if what == "sum":
        slack = len(observed) * _ROUNDING
        return Bounds(sum(o.least for o in observed) - slack, sum(o.most for o in observed) + slack)
    if what == "count":
        return Bounds(len(observed), len(observed))
    bound = float(what)
    certain = sum(o.most + _ROUNDING < bound for o in observed)
    possible = sum(o.least - _ROUNDING <= bound for o in observed)
    return Bounds(certain, possible)
