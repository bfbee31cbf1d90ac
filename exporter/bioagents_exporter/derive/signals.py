"""Signals for alerts and scaling, from the window and the number of waiting jobs, and the limits for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bioagents_exporter.derive.durations import ENOUGH, FACTOR, LEAST, SHARE, UNKNOWN
from bioagents_exporter.derive.family import Family, by_queue, known
from bioagents_exporter.derive.totals import Layouts, PublishedTotals, QueueTotals, values_of
from bioagents_exporter.derive.window import Change, Sample, Window
from bioagents_exporter.read.snapshot import Queue
from bioagents_exporter.settings import Limits, QueueLimits

FAILURE_RATIO: Final = by_queue(
    "queue_failure_ratio",
    "ratio",
    "Share of the attempts of the last 5 minutes that raised an exception, absent without attempts.",
    "Δ `job_failures_total` / Δ `jobs_processed_total` over the window",
)
FAILURES_PER_SECOND: Final = by_queue(
    "queue_failures_per_second",
    "failures per second",
    "Number of attempts per second that raised an exception over the last 5 minutes.",
    "Δ `job_failures_total` / the observed seconds of the window",
)
DRAIN: Final = by_queue(
    "queue_drain_seconds",
    "seconds",
    "Time until no job waits at the rate of the last 5 minutes, +Inf when the backlog does not shrink.",
    "waiting / (completions - arrivals) per second, where a completion is a job that succeeded, died or was "
    "skipped; where no arrival was ever counted, waiting / the rate at which it shrank; 0 without backlog",
)
DESIRED_WORKERS: Final = by_queue(
    "queue_desired_workers",
    "workers",
    "Number of workers that the queue should have for the jobs that wait in it.",
    "2 below 10 waiting, 4 below 30, 6 below 50, 8 from there on, within the queue's minimum and maximum",
)
DEPTH_LIMIT: Final = by_queue(
    "queue_depth_limit", "jobs", "Limit for the number of waiting jobs of the queue.", "setting `depth`"
)
WAIT_LIMIT: Final = by_queue(
    "queue_wait_limit_seconds",
    "seconds",
    "Limit for the age of the oldest waiting job of the queue.",
    "setting `wait`",
)
DRAIN_LIMIT: Final = by_queue(
    "queue_drain_limit_seconds",
    "seconds",
    "Limit for the drain time of the queue.",
    "setting `drain`",
)
FAILURE_RATIO_LIMIT: Final = by_queue(
    "queue_failure_ratio_limit",
    "ratio",
    "Limit for the failure ratio of the queue.",
    "setting `failure-ratio`",
)
MIN_WORKERS: Final = by_queue(
    "queue_min_workers",
    "workers",
    "Lowest number of workers that the queue must have.",
    "setting `min-workers`",
)
MAX_WORKERS: Final = by_queue(
    "queue_max_workers",
    "workers",
    "Highest number of workers that the queue may have.",
    "setting `max-workers`",
)
JOB_DURATION_LIMIT: Final = by_queue(
    "queue_job_duration_limit_seconds",
    "seconds",
    "Limit for the run time of one attempt.",
    f"setting `job-duration`; without it {FACTOR} × the run time that {SHARE:.0%} of the attempts of the "
    f"queue's slowest actor stay below since the totals began, at least {LEAST:.0f}; {UNKNOWN:.0f} until an "
    f"actor has {ENOUGH} attempts",
)

#: (N, workers): the number of workers for fewer than N waiting jobs; from the last N on, :data:`_MOST`.
_STEPS: Final = ((10, 2), (30, 4), (50, 6))
_MOST: Final = 8


def families(queues: Sequence[Queue], window: Window, now: float, limits: Limits) -> Iterator[Family]:
    """Signals of every known queue; one that cannot be calculated is left out. ``now``: monotonic seconds."""
    keys = [(queue.name,) for queue in queues]
    changes = [window.change(queue.name, now) for queue in queues]
    yield known(FAILURE_RATIO, keys, map(_failure_ratio, changes))
    yield known(FAILURES_PER_SECOND, keys, map(_failures_per_second, changes))
    waiting = [queue.waiting for queue in queues]
    yield known(DRAIN, keys, map(_drain_seconds, waiting, changes))
    own = [limits.of(queue.name) for queue in queues]
    yield known(DESIRED_WORKERS, keys, map(_desired_workers, waiting, own))


def limit_families(
    queues: Sequence[Queue], limits: Limits, durations: Mapping[str, float]
) -> Iterator[Family]:
    """The limits as metrics, for every known queue, so that rules need no numbers.

    ``durations``: the limits for the run time of queues that have a history, where the settings have none.
    """
    keys = [(queue.name,) for queue in queues]
    own = [limits.of(queue.name) for queue in queues]
    yield Family(DEPTH_LIMIT, keys, [limit.depth for limit in own])
    yield Family(WAIT_LIMIT, keys, [limit.wait_seconds for limit in own])
    yield Family(DRAIN_LIMIT, keys, [limit.drain_seconds for limit in own])
    yield Family(FAILURE_RATIO_LIMIT, keys, [limit.failure_ratio for limit in own])
    yield Family(MIN_WORKERS, keys, [limit.min_workers for limit in own])
    yield Family(MAX_WORKERS, keys, [limit.max_workers for limit in own])
    usual = [durations.get(queue.name, UNKNOWN) for queue in queues]
    set_to = [limit.job_duration_seconds for limit in own]
    yield Family(
        JOB_DURATION_LIMIT, keys, [a if a is not None else b for a, b in zip(set_to, usual, strict=True)]
    )


def samples(
    queues: Sequence[Queue], totals: Iterable[PublishedTotals], layouts: Layouts
) -> dict[str, Sample]:
    """One sample of every known queue, for the window."""
    epochs: dict[str, list[tuple[int, int]]] = {}
    sums: dict[str, QueueTotals] = {}
    for each in totals:
        epochs.setdefault(each.queue, []).append((each.wire, each.epoch))
        found = layouts.of(each).sum_up(values_of(each))
        before = sums.get(each.queue, QueueTotals())
        sums[each.queue] = QueueTotals(*map(sum, zip(before, found, strict=True)))
    return {
        queue.name: Sample(
            tuple(sorted(epochs.get(queue.name, ()))), sums.get(queue.name, QueueTotals()), queue.waiting
        )
        for queue in queues
    }


def _failure_ratio(change: Change) -> float | None:
    """Failures per attempt; None without attempts."""
    return change.counts.failures / change.counts.attempts if change.counts.attempts else None


def _failures_per_second(change: Change) -> float | None:
    """None where attempts are not counted, or not for long enough."""
    return change.counts.failures / change.seconds if change.seconds else None


def _drain_seconds(waiting: int | None, change: Change) -> float | None:
    """Seconds until no job waits; +Inf where the backlog does not shrink, None where that is not known."""
    rate = _drain_rate(change)
    if waiting is None or rate is None:
        return None
    if waiting == 0:
        return 0
    return waiting / rate if rate > 0 else math.inf


def _drain_rate(change: Change) -> float | None:
    """Jobs per second by which the backlog shrinks.

    Where no producer counts its jobs, all that is known is by how much the list became shorter.
    """
    if not change.arrivals_counted:
        return change.shrinking
    if not change.seconds:
        return None
    return (change.counts.completions - change.counts.arrivals) / change.seconds


def _desired_workers(waiting: int | None, limits: QueueLimits) -> int | None:
    """The number of workers for this number of waiting jobs, within the queue's minimum and maximum."""
    if waiting is None:
        return None
    wanted = next((workers for below, workers in _STEPS if waiting < below), _MOST)
    return min(max(wanted, limits.min_workers), limits.max_workers)
