"""The last five minutes of each queue, sampled every few seconds by a task of its own.

A window filled by scrapes would differ from copy to copy, since each is scraped at its own times. Only totals
of one epoch are subtracted from each other, and the seconds in which no difference could be taken do not
count, so that a reset in between shows neither a negative rate nor a huge one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bioagents_exporter.derive.totals import QueueTotals

LENGTH: Final = 300.0  # seconds that the window reaches back
SPAN: Final = 60.0  # seconds that two samples must be apart to give a rate
STALE: Final = 60.0  # seconds after the last sample from which on the window is no longer used
_NOTHING: Final = QueueTotals()
_MAX_POINTS: Final = 121  # of one queue: half a sampling interval apart


class Sample(NamedTuple):
    """One sample of one queue."""

    epochs: tuple[tuple[int, int], ...]  # of its totals, by wire version; empty without totals
    counts: QueueTotals
    waiting: int | None


class _Point(NamedTuple):
    time: float
    observed: float  # seconds in which differences were taken, since the first sample
    counts: QueueTotals  # what these differences add up to
    waiting: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a queue in the window."""

    seconds: float = 0.0  # in which `counts` happened; 0 where they are not known
    counts: QueueTotals = _NOTHING
    arrivals_counted: bool = False  # by anyone, ever
    shrinking: float | None = None  # waiting jobs fewer, per second; None where it is not known


@dataclass(slots=True)
class _Track:
    last: Sample
    points: deque[_Point] = field(default_factory=lambda: deque(maxlen=_MAX_POINTS))

    def add(self, now: float, sample: Sample) -> None:
        seconds, counts = 0.0, QueueTotals()
        if self.points:
            _, seconds, counts, _ = self.points[-1]
            if sample.epochs and sample.epochs == self.last.epochs:
                seconds += now - self.points[-1].time
                counts = QueueTotals(*map(sum, zip(counts, _differences(self.last, sample), strict=True)))
        self.last = sample
        self.points.append(_Point(now, seconds, counts, sample.waiting))

    def trim(self, now: float) -> None:
        while self.points and self.points[0].time < now - LENGTH:
            self.points.popleft()

    def change(self) -> Change:
        first, last = self.points[0], self.points[-1]
        seconds = last.observed - first.observed
        shrinking, counted = self._shrinking(), self.last.counts.arrivals > 0
        if seconds < SPAN or not self.last.epochs:
            return Change(arrivals_counted=counted, shrinking=shrinking)
        counts = QueueTotals(*(b - a for a, b in zip(first.counts, last.counts, strict=True)))
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

    def add(self, now: float, samples: Mapping[str, Sample]) -> None:
        """One sample of all queues; one that is not among them for the length of the window is forgotten."""
        for name, sample in samples.items():
            track = self._tracks.get(name)
            if track is None:
                track = self._tracks[name] = _Track(sample)
            track.add(now, sample)
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


def _differences(before: Sample, after: Sample) -> QueueTotals:
    # Published totals never fall within an epoch; never below 0 all the same.
    return QueueTotals(*(max(b - a, 0) for a, b in zip(before.counts, after.counts, strict=True)))
