"""What people and scalers act upon, worked out from the window and from how many jobs wait."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bioagents_exporter.catalogue import signals as m
from bioagents_exporter.derive.family import Family, known
from bioagents_exporter.derive.layout import Counts, values_of
from bioagents_exporter.derive.window import Change, Reading

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View
    from bioagents_exporter.settings import QueueLimits

#: Below this many waiting jobs → so many workers; from the last on, :data:`_MOST`.
_STEPS: Final = ((10, 2), (30, 4), (50, 6))
_MOST: Final = 8


def families(view: View) -> Iterator[Family]:
    """Signals of every known queue; one that cannot be worked out is left out."""
    queues = view.snapshot.queues
    keys = [(queue.name,) for queue in queues]
    changes = [view.window.change(queue.name, view.now) for queue in queues]
    yield known(m.FAILURE_RATIO, keys, map(failure_ratio, changes))
    yield known(m.FAILURES_PER_SECOND, keys, map(failures_per_second, changes))
    waiting = [queue.waiting for queue in queues]
    limits = [view.settings.limits.of(queue.name) for queue in queues]
    yield known(m.DRAIN, keys, map(drain_seconds, waiting, changes))
    yield known(m.DESIRED_WORKERS, keys, map(desired_workers, waiting, limits))


def failure_ratio(change: Change) -> float | None:
    """Failures per attempt; None without attempts."""
    return change.counts.failures / change.counts.attempts if change.counts.attempts else None


def failures_per_second(change: Change) -> float | None:
    """None where attempts are not counted, or not for long enough."""
    return change.counts.failures / change.seconds if change.seconds else None


def drain_seconds(waiting: int | None, change: Change) -> float | None:
    """Seconds until nothing waits; +Inf where the backlog does not shrink, None where nobody can tell."""
    pace = _pace(change)
    if waiting is None or pace is None:
        return None
    if waiting == 0:
        return 0
    return waiting / pace if pace > 0 else math.inf


def _pace(change: Change) -> float | None:
    """Jobs per second by which the backlog shrinks.

    Where no producer counts its jobs, all that is known is by how much the list became shorter.
    """
    if not change.arrivals_counted:
        return change.shrinking
    if not change.seconds:
        return None
    return (change.counts.completions - change.counts.arrivals) / change.seconds


def desired_workers(waiting: int | None, limits: QueueLimits) -> int | None:
    """How many workers so many waiting jobs want, within the queue's minimum and maximum."""
    if waiting is None:
        return None
    wanted = next((workers for below, workers in _STEPS if waiting < below), _MOST)
    return min(max(wanted, limits.min_workers), limits.max_workers)


def readings(view: View) -> dict[str, Reading]:
    """One sample of every known queue, for the window."""
    epochs: dict[str, list[tuple[int, int]]] = {}
    counts: dict[str, Counts] = {}
    for held in view.totals:
        epochs.setdefault(held.queue, []).append((held.wire, held.epoch))
        found = view.layouts.of(held).counts(values_of(held))
        before = counts.get(held.queue)
        both = zip(before or Counts(), found, strict=True)
        counts[held.queue] = Counts(*map(sum, both)) if before else found
    return {
        queue.name: Reading(
            tuple(sorted(epochs.get(queue.name, ()))), counts.get(queue.name, Counts()), queue.waiting
        )
        for queue in view.snapshot.queues
    }
