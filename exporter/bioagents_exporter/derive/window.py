"""The last five minutes, sampled every few seconds by a task of its own.

Scrapes come when Prometheus likes; a window filled by them would differ from copy to copy. Totals of one
epoch alone are differenced, and the seconds in which no difference could be taken do not count: a reset in
between neither shows a negative pace nor a giant one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bioagents_exporter.derive.layout import Counts

LENGTH: Final = 300.0  # seconds that the window reaches back
SPAN: Final = 60.0  # seconds that two samples must be apart to tell a pace
STALE: Final = 60.0  # seconds after the last sample when the window tells nothing any more
_NOTHING: Final = Counts()
_MAX_POINTS: Final = 121  # of one queue: half a sampling interval apart


class Reading(NamedTuple):
    """One sample of one queue."""

    epochs: tuple[tuple[int, int], ...]  # of its totals, by wire version; empty without totals
    counts: Counts
    waiting: int | None


class _Point(NamedTuple):
    time: float
    observed: float  # seconds in which differences were taken, since the first sample
    counts: Counts  # what these differences add up to
    waiting: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a queue in the window."""

    seconds: float = 0.0  # in which `counts` happened; 0 where they are not known
    counts: Counts = _NOTHING
    arrivals_counted: bool = False  # by anyone, ever
    shrinking: float | None = None  # waiting jobs fewer, per second; None where it is not known


@dataclass(slots=True)
class _Track:
    last: Reading
    points: deque[_Point] = field(default_factory=lambda: deque(maxlen=_MAX_POINTS))

    def add(self, now: float, reading: Reading) -> None:
        seconds, counts = 0.0, Counts()
        if self.points:
            _, seconds, counts, _ = self.points[-1]
            if reading.epochs and reading.epochs == self.last.epochs:
                seconds += now - self.points[-1].time
                counts = Counts(*map(sum, zip(counts, _differences(self.last, reading), strict=True)))
        self.last = reading
        self.points.append(_Point(now, seconds, counts, reading.waiting))

    def trim(self, now: float) -> None:
        while self.points and self.points[0].time < now - LENGTH:
            self.points.popleft()

    def change(self) -> Change:
        first, last = self.points[0], self.points[-1]
        seconds = last.observed - first.observed
        shrinking, counted = self._shrinking(), self.last.counts.arrivals > 0
        if seconds < SPAN or not self.last.epochs:
            return Change(arrivals_counted=counted, shrinking=shrinking)
        counts = Counts(*(b - a for a, b in zip(first.counts, last.counts, strict=True)))
        return Change(seconds, counts, counted, shrinking)

    def _shrinking(self) -> float | None:
        first = next((p for p in self.points if p.waiting is not None), None)
        last = self.points[-1]
        if first is None or first.waiting is None or last.waiting is None or last.time - first.time < SPAN:
            return None
        return (first.waiting - last.waiting) / (last.time - first.time)


class Window:
    """The samples of every queue. Times are monotonic seconds of this process."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}

    def add(self, now: float, readings: Mapping[str, Reading]) -> None:
        """One sample of all queues; one that is not among them for the length of the window is forgotten."""
        for name, reading in readings.items():
            track = self._tracks.get(name)
            if track is None:
                track = self._tracks[name] = _Track(reading)
            track.add(now, reading)
        for name, track in list(self._tracks.items()):
            track.trim(now)
            if not track.points:
                del self._tracks[name]

    def change(self, queue: str, now: float) -> Change:
        """What happened to one queue; nothing is known where its last sample is too old."""
        track = self._tracks.get(queue)
        if track is None or now - track.points[-1].time > STALE:
            return Change()
        return track.change()


def _differences(before: Reading, after: Reading) -> Counts:
    # Held totals never fall within an epoch; never below 0 all the same.
    return Counts(*(max(b - a, 0) for a, b in zip(before.counts, after.counts, strict=True)))
