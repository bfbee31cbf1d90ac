"""What happens to jobs: arrivals, completions, failures, retries, how long they wait and run.

``BY_QUEUE`` queries give one series for each queue of a fleet, the others one for each fleet, unless their
docstring says more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bioagents_dashboards.queries.promql import NONE, QUEUE, TOP, quantile, rate, top

#: From a fraction (0.95) to a query.
Quantile: TypeAlias = Callable[[float], str]


def failures_per_second() -> str:
    """Attempts that raised, per second."""
    return rate("job_failures_total", keep=NONE)


def failures_by_exception() -> str:
    """By actor and exception: the highest rates of failure."""
    return top(TOP, f"{rate('job_failures_total', keep=('actor', 'exception'))} > 0")


def arrivals() -> str:
    """BY_QUEUE: jobs enqueued per second, the queues with the most."""
    return top(TOP, rate("jobs_enqueued_total", keep=QUEUE))


def completions() -> str:
    """BY_QUEUE: jobs per second that are done for good: succeeded, dead or skipped."""
    parts = ("jobs_succeeded_total", "jobs_dead_total", "jobs_skipped_total")
    return top(TOP, " + ".join(rate(name, keep=QUEUE) for name in parts))


def wait_quantile(fraction: float) -> str:
    """BY_QUEUE: wait of the attempts that began, the queues with the longest."""
    return top(TOP, quantile("job_wait_seconds", fraction, keep=QUEUE))


def run_quantile(fraction: float) -> str:
    """BY_QUEUE: run time of the attempts that ended, the queues with the longest."""
    return top(TOP, quantile("job_duration_seconds", fraction, keep=QUEUE))


def retries() -> str:
    """BY_QUEUE: retries per second, the queues with the most."""
    return top(TOP, rate("job_retries_total", keep=QUEUE))
