"""The totals of the fleet, counted by the middleware: by queue and actor, and the fleet's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, TypedDict, Unpack

from bioagents_exporter.derive.family import WIRE_LABEL, Family, Key, Metric, Number, Type
from bioagents_exporter.derive.totals import Layouts, PublishedTotals, values_of, wire_label
from bioagents_worker.wire import (
    COUNTERS,
    ERROR_CAUSES,
    OTHER,
    WHOLE_FLEET,
    parse_boots_field,
    parse_errors_field,
)
from bioagents_worker.wire import DROPPED as DROPPED_FIELD


class _Other(TypedDict, total=False):
    kind: Type
    labels: tuple[str, ...]


def _total(name: str, unit: str, text: str, formula: str, **other: Unpack[_Other]) -> Metric:
    """A counter by queue and actor, unless stated otherwise."""
    kind, labels = other.get("kind", "counter"), other.get("labels", ("queue", "actor"))
    return Metric(name, kind, labels, unit, text, formula, optional=(WIRE_LABEL,))


ENQUEUED: Final = _total(
    "jobs_enqueued_total",
    "jobs",
    "Number of jobs that processes with JobMetrics enqueued, without retries and moves of delayed jobs.",
    "`after_enqueue` that is not a retry and not the hop from Q.DQ in a consumer thread; jobs of producers "
    "without `JobMetrics` are not counted",
)
PROCESSED: Final = _total(
    "jobs_processed_total",
    "attempts",
    "Number of attempts that finished, whatever the outcome.",
    "`after_process_message` of an attempt whose start was recorded",
)
SUCCEEDED: Final = _total(
    "jobs_succeeded_total",
    "attempts",
    "Number of attempts that finished without an exception.",
    "as `jobs_processed_total`, without an exception and not failed",
)
FAILURES: Final = _total(
    "job_failures_total",
    "attempts",
    "Number of attempts that raised an exception, by the class of the exception.",
    "as `jobs_processed_total`, with an exception other than `Retry`, `RateLimitExceeded` and `Shutdown`, "
    "which ask for a later attempt; at most 30 classes per actor, the rest is `(other)`, which exists at 0 "
    "from the start",
    labels=("queue", "actor", "exception"),
)
RETRIES: Final = _total(
    "job_retries_total",
    "attempts",
    "Number of retries that were enqueued.",
    "`after_enqueue` of the message whose attempt raised in the same thread, unless the job became dead",
)
DEAD: Final = _total(
    "jobs_dead_total",
    "jobs",
    "Number of jobs that became dead letters.",
    "`after_nack`",
)
SKIPPED: Final = _total(
    "jobs_skipped_total",
    "jobs",
    "Number of jobs that a middleware skipped and that did not become dead letters.",
    "`after_skip_message` of a message that has not failed",
)
REDELIVERED: Final = _total(
    "jobs_redelivered_total",
    "attempts",
    "Number of attempts at jobs that a missing worker was running at its last heartbeat, as far as known.",
    "attempts of a job that was in the last heartbeat of a worker that went missing (best effort)",
)
DURATION: Final = _total(
    "job_duration_seconds",
    "seconds",
    "Duration of attempts, all middleware included.",
    "monotonic clock from `before_process_message` to `after_process_message`",
    kind="histogram",
)
WAIT: Final = _total(
    "job_wait_seconds",
    "seconds",
    "Time for which jobs were ready to run before an attempt began, without their delay and retry back-off.",
    "start of the attempt - the instant at which the job became ready: its enqueue, its `eta`, or the end "
    "of its retry's back-off",
    kind="histogram",
)
BOOTS: Final = _total(
    "worker_boots_total",
    "workers",
    "Number of worker processes that started, by host.",
    "`after_worker_boot`; hosts beyond the first 1,000 since the totals began are `(other)`",
    labels=("host",),
)
DROPPED: Final = _total(
    "metrics_dropped_total",
    "counts",
    "Number of counts that workers dropped because they could not know whether Redis has them.",
    "increments of a difference whose outcome is unknown when an epoch ends",
    labels=(),
)
MIDDLEWARE_ERRORS: Final = _total(
    "middleware_errors_total",
    "errors",
    "Number of errors inside the JobMetrics middleware by cause, none of which affected a job.",
    "exceptions caught in a `hook`, in adding up `events`, in a `flush`, a `sweep` or a `redelivery`, and in "
    "each report a number that could not be read: `host`, `queues`, `threads`, `consumers`, `memory`, "
    "`memory_limit`, `cpu`, `held_jobs`",
    labels=("cause",),
)

_COUNTERS: Final = dict(
    zip(
        COUNTERS,
        (ENQUEUED, PROCESSED, SUCCEEDED, RETRIES, DEAD, SKIPPED, REDELIVERED),
        strict=True,
    )
)
_MICRO: Final = 1_000_000


def families(totals: Sequence[PublishedTotals], layouts: Layouts) -> Iterator[Family]:
    """Every series of every known actor; a field that does not exist is 0."""
    yield from _by_actor(totals, layouts)
    yield from _of_the_fleet([each for each in totals if each.queue == WHOLE_FLEET])


def _by_actor(totals: Sequence[PublishedTotals], layouts: Layouts) -> Iterator[Family]:
    keys: list[Key] = []
    rows: list[tuple[int, ...]] = []
    failure_keys: list[Key] = []
    failures: list[int] = []
    durations: list[Number] = []
    waits: list[Number] = []
    for queue in totals:
        if queue.queue == WHOLE_FLEET:
            continue
        values = values_of(queue)
        for actor in layouts.of(queue).actors:
            keys.append(actor.key)
            rows.append(actor.counters(values))
            durations += _histogram(actor.duration(values))
            waits += _histogram(actor.wait(values))
            for key, positions in actor.failures:
                failure_keys.append(key)
                failures.append(sum(values[i] for i in positions))
    for metric, column in zip(_COUNTERS.values(), zip(*rows, strict=True), strict=False):
        yield Family(metric, keys, column)
    yield Family(FAILURES, failure_keys, failures)
    yield Family(DURATION, keys, durations)
    yield Family(WAIT, keys, waits)


def _histogram(picked: Sequence[int]) -> list[Number]:
    """Cumulative buckets, the sum in seconds and the count, from single buckets and a sum in microseconds."""
    values: list[Number] = [*accumulate(picked[:-1])]
    count, total_us = values[-1], picked[-1]
    values += (total_us / _MICRO, count)
    return values


def _of_the_fleet(totals: Sequence[PublishedTotals]) -> Iterator[Family]:
    boots = [
        ((host, *wire_label(each.wire)), n)
        for each in totals
        for name, n in each.fields.items()
        if (host := parse_boots_field(name)) is not None
    ]
    yield Family(BOOTS, [key for key, _ in boots], [n for _, n in boots])
    yield Family(
        DROPPED,
        [wire_label(each.wire) for each in totals],
        [each.fields.get(DROPPED_FIELD, 0) for each in totals],
    )
    errors = {(cause, *wire_label(each.wire)): n for each in totals for cause, n in _errors(each).items()}
    yield Family(MIDDLEWARE_ERRORS, list(errors), list(errors.values()))


def _errors(totals: PublishedTotals) -> dict[str, int]:
    """Errors of the middleware by cause; what the field of another version counts is ``(other)``."""
    errors = dict.fromkeys((*ERROR_CAUSES, OTHER), 0)
    for name, n in totals.fields.items():
        cause = parse_errors_field(name)
        if cause is not None:
            errors[cause] += n
    return errors
