"""Derived signals and the limits that people set for them, by queue."""

from __future__ import annotations

from typing import Final

from bioagents_exporter.catalogue.metric import Metric


def _queue(name: str, unit: str, text: str, formula: str) -> Metric:
    return Metric(name, "gauge", ("queue",), unit, text, formula)


FAILURE_RATIO: Final = _queue(
    "queue_failure_ratio",
    "ratio",
    "Tells which share of the attempts of the last 5 minutes raised an exception, and is absent without "
    "attempts.",
    "Δ `job_failures_total` / Δ `jobs_processed_total` over the window",
)
FAILURES_PER_SECOND: Final = _queue(
    "queue_failures_per_second",
    "failures per second",
    "Tells how many attempts per second raised an exception over the last 5 minutes.",
    "Δ `job_failures_total` / the observed seconds of the window",
)
DRAIN: Final = _queue(
    "queue_drain_seconds",
    "seconds",
    "Tells in how many seconds the waiting jobs will be gone at the pace of the last 5 minutes, +Inf when "
    "they do not get fewer.",
    "waiting / (completions - arrivals) per second, where a completion is a job that succeeded, died or was "
    "skipped; where no arrival was ever counted, waiting / the pace at which it shrank; 0 without backlog",
)
LOAD_RATIO: Final = _queue(
    "queue_load_ratio",
    "ratio",
    "Tells how many jobs run or wait for each slot, +Inf when jobs wait and there is no slot.",
    "(running + waiting) / slots; 0 when there is no slot and nothing waits",
)
DESIRED_WORKERS: Final = _queue(
    "queue_desired_workers",
    "workers",
    "Tells how many workers the queue should have for the jobs that wait in it.",
    "2 below 10 waiting, 4 below 30, 6 below 50, 8 from there on, within the queue's minimum and maximum",
)
DEPTH_LIMIT: Final = _queue(
    "queue_depth_limit",
    "jobs",
    "Tells how many waiting jobs are too many.",
    "setting `depth`",
)
WAIT_LIMIT: Final = _queue(
    "queue_wait_limit_seconds",
    "seconds",
    "Tells which age of the oldest waiting job is too high.",
    "setting `wait_seconds`",
)
DRAIN_LIMIT: Final = _queue(
    "queue_drain_limit_seconds",
    "seconds",
    "Tells which drain time is too long.",
    "setting `drain_seconds`",
)
FAILURE_RATIO_LIMIT: Final = _queue(
    "queue_failure_ratio_limit",
    "ratio",
    "Tells which failure ratio is too high.",
    "setting `failure_ratio`",
)
MIN_WORKERS: Final = _queue(
    "queue_min_workers",
    "workers",
    "Tells how many workers the queue must have at least.",
    "setting `min_workers`",
)
MAX_WORKERS: Final = _queue(
    "queue_max_workers",
    "workers",
    "Tells how many workers the queue may have at most.",
    "setting `max_workers`",
)
JOB_DURATION_LIMIT: Final = _queue(
    "queue_job_duration_limit_seconds",
    "seconds",
    "Tells for how long one attempt may run.",
    "setting `job_duration_seconds`",
)
