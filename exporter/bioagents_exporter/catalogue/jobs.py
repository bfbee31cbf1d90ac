"""Totals of the fleet, counted by the middleware."""

from __future__ import annotations

from typing import Final, TypedDict, Unpack

from bioagents_exporter.catalogue.metric import WIRE_LABEL, Metric, Type


class _Other(TypedDict, total=False):
    kind: Type
    labels: tuple[str, ...]


def _total(name: str, unit: str, text: str, formula: str, **other: Unpack[_Other]) -> Metric:
    """A counter by queue and actor, but for what is said otherwise."""
    kind, labels = other.get("kind", "counter"), other.get("labels", ("queue", "actor"))
    return Metric(name, kind, labels, unit, text, formula, optional=(WIRE_LABEL,))


ENQUEUED: Final = _total(
    "jobs_enqueued_total",
    "jobs",
    "Counts the jobs that were enqueued by processes with JobMetrics, each once at its first enqueue.",
    "enqueues without a mark of ours, without `retries` in the options, and not from a consumer thread (the "
    "hop from Q.DQ); jobs of producers without `JobMetrics` are not counted",
)
PROCESSED: Final = _total(
    "jobs_processed_total",
    "attempts",
    "Counts the attempts that finished, whatever the outcome.",
    "`after_process_message` of an attempt whose start was recorded",
)
SUCCEEDED: Final = _total(
    "jobs_succeeded_total",
    "attempts",
    "Counts the attempts that finished without an exception.",
    "as `jobs_processed_total`, without an exception and not failed",
)
FAILURES: Final = _total(
    "job_failures_total",
    "attempts",
    "Counts the attempts that raised an exception, by the class of the exception.",
    "as `jobs_processed_total`, with an exception other than `Retry`, `RateLimitExceeded` and `Shutdown`, "
    "which "
    'mean "later"; at most 30 classes per actor, the rest is `(other)`, which exists at 0 from the start',
    labels=("queue", "actor", "exception"),
)
RETRIES: Final = _total(
    "job_retries_total",
    "attempts",
    "Counts the times that a job was put back to be tried again.",
    "enqueues with a delay and `retries` in the options",
)
DEAD: Final = _total(
    "jobs_dead_total",
    "jobs",
    "Counts the jobs that became dead letters.",
    "`after_nack`",
)
SKIPPED: Final = _total(
    "jobs_skipped_total",
    "jobs",
    "Counts the jobs that a middleware skipped and that did not become dead letters.",
    "`after_skip_message` of a message that has not failed",
)
REDELIVERED: Final = _total(
    "jobs_redelivered_total",
    "attempts",
    "Counts the attempts at jobs that a missing worker was running when it was last heard of, as far as "
    "known.",
    "attempts of a job that stood in the last heartbeat of a worker that went missing (best effort)",
)
DURATION: Final = _total(
    "job_duration_seconds",
    "seconds",
    "Shows how long attempts took, all middleware included.",
    "monotonic clock from `before_process_message` to `after_process_message`",
    kind="histogram",
)
WAIT: Final = _total(
    "job_wait_seconds",
    "seconds",
    "Shows how long jobs were ready to run before an attempt began, without their delay and retry back-off.",
    "start of the attempt - the instant at which the job became ready: its enqueue, its `eta`, or the end "
    "of its retry's back-off",
    kind="histogram",
)
BOOTS: Final = _total(
    "worker_boots_total",
    "workers",
    "Counts the worker processes that started, by host.",
    "`after_worker_boot`; hosts beyond the first 1,000 since the totals began are `(other)`",
    labels=("host",),
)
DROPPED: Final = _total(
    "metrics_dropped_total",
    "counts",
    "Counts what workers had counted and gave up because they could not know whether Redis has it.",
    "increments of a difference whose outcome is unknown when an epoch ends",
    labels=(),
)
MIDDLEWARE_ERRORS: Final = _total(
    "middleware_errors_total",
    "errors",
    "Counts the errors inside the JobMetrics middleware, none of which touched a job.",
    "exceptions caught in our own hooks and flusher",
    labels=(),
)
