"""The state of queues: how much waits, for how long, who serves them, how much of their limits is used.

``BY_QUEUE`` queries give one series for each queue of a fleet, the others one for each fleet.
"""

from __future__ import annotations

from bioagents_dashboards.queries.promql import NONE, QUEUE, TOP, gauge, near_limit, top


def limit_used() -> str:
    """BY_QUEUE: the highest share of a limit used up, of depth, wait, failure ratio, fewest workers."""
    shares = {
        "depth": f"{waiting()} / {gauge('queue_depth_limit')}",
        "wait": f"{oldest_wait()} / {gauge('queue_wait_limit_seconds')}",
        "failures": f"{failure_ratio()} / {gauge('queue_failure_ratio_limit')}",
        "workers": f"{gauge('queue_min_workers')} > bool {gauge('queue_workers')}",
    }
    # A label for each share, so that `or` joins all four instead of taking the first that a queue has.
    joined = " or ".join(f'label_replace({expr}, "limit", "{name}", "", "")' for name, expr in shares.items())
    return f"max without (limit) ({joined})"


def worst_limit_used() -> str:
    """The highest :func:`limit_used` of any queue of the fleet."""
    return f"max without (queue) ({limit_used()})"


def waiting() -> str:
    """BY_QUEUE: jobs in the list."""
    return gauge("queue_depth", keep=QUEUE, state="waiting")


def waiting_of_fleet() -> str:
    """Jobs in the lists of all chosen queues."""
    return gauge("queue_depth", keep=NONE, state="waiting")


def busiest_waiting() -> str:
    """BY_QUEUE: the queues with the most waiting jobs."""
    return top(TOP, waiting())


def depth_limit() -> str:
    """BY_QUEUE: the limit of waiting jobs, where it matters."""
    return near_limit(waiting(), gauge("queue_depth_limit"))


def oldest_wait() -> str:
    """BY_QUEUE: age of the job that has waited longest."""
    return gauge("queue_oldest_job_age_seconds")


def oldest_wait_of_fleet() -> str:
    """The longest of all waits."""
    return gauge("queue_oldest_job_age_seconds", keep=NONE, how="max")


def longest_waits() -> str:
    """BY_QUEUE: the queues whose oldest job waits longest."""
    return top(TOP, oldest_wait())


def wait_limit() -> str:
    """BY_QUEUE: the limit of the oldest job's age, where it matters."""
    return near_limit(oldest_wait(), gauge("queue_wait_limit_seconds"))


def workers() -> str:
    """BY_QUEUE: living workers that do not drain."""
    return gauge("queue_workers")


def slots() -> str:
    """BY_QUEUE: living threads that could run a job."""
    return gauge("queue_slots")


def running() -> str:
    """BY_QUEUE: jobs that run."""
    return gauge("queue_running_jobs")


def failure_ratio() -> str:
    """BY_QUEUE: share of the attempts of five minutes that raised; nothing without attempts."""
    return gauge("queue_failure_ratio")


def drain_time() -> str:
    """BY_QUEUE: seconds until nothing waits, +Inf while the backlog does not shrink."""
    return gauge("queue_drain_seconds")


def dead_letters() -> str:
    """BY_QUEUE: dead letters kept in Redis, the queues with the most."""
    return top(TOP, gauge("queue_depth", keep=QUEUE, state="dead"))


def dead_expiring() -> str:
    """BY_QUEUE: dead letters that Dramatiq deletes within 24 hours."""
    return top(TOP, f"{gauge('queue_dead_expiring_jobs')} > 0")


def draining_workers() -> str:
    """BY_QUEUE: workers that finish what they have and then stop."""
    return f"{gauge('queue_draining_workers')} > 0"
