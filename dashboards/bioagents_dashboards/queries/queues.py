"""The state of queues: how much waits, for how long, who serves them, how much of their limits is used.

``BY_QUEUE`` queries give one series for each queue of a fleet, the others one for each fleet.
"""

from __future__ import annotations

from bioagents_dashboards.queries.alerts import unless_rules_are_loaded
from bioagents_dashboards.queries.jobs import arrivals_of_queues, completions_of_queues
from bioagents_dashboards.queries.promql import (
    NONE,
    QUEUE,
    TOP,
    gauge,
    near_limit,
    recorded,
    together,
    top,
)


def limit_used() -> str:
    """BY_QUEUE: the highest share of a limit used up, of depth, wait, failure ratio, fewest workers."""
    shares = {
        "depth": f"{waiting()} / {gauge('queue_depth_limit')}",
        "wait": wait_limit_used(),
        "failures": f"{failure_ratio()} / {gauge('queue_failure_ratio_limit')}",
        "workers": f"({_in_service()}) > bool {gauge('queue_workers')}",
    }
    return together("max", shares)


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
    return near_limit(busiest_waiting(), gauge("queue_depth_limit"))


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
    return near_limit(longest_waits(), gauge("queue_wait_limit_seconds"))


def workers() -> str:
    """BY_QUEUE: living workers that do not drain."""
    return gauge("queue_workers")


def slots() -> str:
    """BY_QUEUE: living threads that could run a job."""
    return gauge("queue_slots")


def running() -> str:
    """BY_QUEUE: jobs that run."""
    return gauge("queue_running_jobs")


def slots_in_use() -> str:
    """BY_QUEUE: share of the slots in which a job runs; more than all while workers drain."""
    return f"{running()} / ({slots()} > 0)"


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
    """BY_QUEUE: workers that finish what they have and then stop, the queues with the most."""
    return top(TOP, f"{gauge('queue_draining_workers')} > 0")


def drain_limit_used() -> str:
    """BY_QUEUE: time to drain as a share of its limit, +Inf while the backlog does not shrink."""
    return f"{drain_time()} / {gauge('queue_drain_limit_seconds')}"


# Why a queue is slow: the worst of the chosen queues, one number for each fleet.


def worst_wait() -> str:
    """The highest share of a wait limit that the oldest waiting job of any queue uses up."""
    return _worst(wait_limit_used())


def longest_drain() -> str:
    """The longest time to drain of any queue, +Inf while one does not shrink."""
    return _worst(drain_time())


def worst_growth() -> str:
    """Arrivals for each completion, in the queue where that is most; of queues in which jobs wait."""
    growth = f"{arrivals_of_queues()} / {completions_of_queues()} >= 0"
    return _worst(f"{growth} and {waiting()} > 0")


def fullest_slots() -> str:
    """Running jobs to slots, in the queue where that is most."""
    return _worst(f"{running_jobs()} / ({living_slots()} > 0)")


def fewest_workers() -> str:
    """Workers to the minimum, in the queue where that is least."""
    return f"min without (queue) ({gauge('queue_workers')} / (({_in_service()}) > 0))"


def worst_run() -> str:
    """The highest share of a run time limit that a running job of any queue uses up."""
    return _worst(f"{longest_run()} / {run_limit_of_queues()}")


def worst_failures() -> str:
    """The highest share of a failure limit that any queue uses up; nothing without attempts."""
    return _worst(f"{failure_ratio()} / {gauge('queue_failure_ratio_limit')}")


def out_of_reach() -> str:
    """Jobs that nobody runs and nobody fetches, in all chosen queues."""
    kinds = ("orphaned", "stuck", "unheld", "overdue_delayed")
    return together("sum", {kind: gauge(f"queue_{kind}_jobs", keep=NONE) for kind in kinds})


def wait_limit_used() -> str:
    """BY_QUEUE: age of the oldest waiting job, as a share of its limit."""
    return f"{oldest_wait()} / {gauge('queue_wait_limit_seconds')}"


# Pace and capacity.


def jobs_by_state() -> str:
    """By state: jobs of all chosen queues."""
    return gauge("queue_depth", keep=("state",))


def in_state(state: str) -> str:
    """BY_QUEUE: jobs in one state."""
    return gauge("queue_depth", keep=QUEUE, state=state)


def longest_drains() -> str:
    """BY_QUEUE: time to drain, the queues that need longest; up to five times the limit."""
    return top(TOP, _drawn_drain_time())


def drain_limit() -> str:
    """BY_QUEUE: the limit of the time to drain, where it matters."""
    return near_limit(longest_drains(), gauge("queue_drain_limit_seconds"))


def running_jobs() -> str:
    """BY_QUEUE: jobs that run, as the rules record them."""
    return recorded("queue:bioagents_queue_running_jobs:max", "queue")


def living_slots() -> str:
    """BY_QUEUE: slots, as the rules record them."""
    return recorded("queue:bioagents_queue_slots:max", "queue")


def most_running() -> str:
    """BY_QUEUE: jobs that run, the queues with the most."""
    return top(TOP, running_jobs())


def most_slots() -> str:
    """BY_QUEUE: slots, the queues with the most."""
    return top(TOP, living_slots())


def most_workers() -> str:
    """BY_QUEUE: workers, the queues with the most."""
    return top(TOP, recorded("queue:bioagents_queue_workers:max", "queue"))


def missed_minimum() -> str:
    """BY_QUEUE: the fewest workers that it should have, where it has fewer."""
    return top(TOP, f"({_in_service()}) > {gauge('queue_workers')}")


def held_by_draining() -> str:
    """BY_QUEUE: jobs that draining workers hold, run or not."""
    return top(TOP, f"{gauge('queue_draining_held_jobs')} > 0")


def draining_held() -> str:
    """BY_QUEUE: the same of every queue, 0 included."""
    return gauge("queue_draining_held_jobs")


def longest_run() -> str:
    """BY_QUEUE: age of the job that has been running longest."""
    return gauge("queue_longest_running_job_seconds")


def longest_runs() -> str:
    """BY_QUEUE: the same, the queues with the longest."""
    return top(TOP, longest_run())


def run_limit() -> str:
    """BY_QUEUE: the limit of a job's run time, where it matters."""
    return near_limit(longest_runs(), run_limit_of_queues())


def run_limit_of_queues() -> str:
    """BY_QUEUE: for how long one attempt may run."""
    return gauge("queue_job_duration_limit_seconds")


# Jobs that do not move.


def audited(kind: str) -> str:
    """BY_QUEUE: orphaned, stuck, unheld or overdue_delayed jobs."""
    return gauge(f"queue_{kind}_jobs")


def most_audited(kind: str) -> str:
    """BY_QUEUE: the same where there are any, the queues with the most."""
    return top(TOP, f"{audited(kind)} > 0")


def most_delayed() -> str:
    """BY_QUEUE: delayed jobs, the queues with the most."""
    return top(TOP, in_state("delayed"))


# Failures and dead letters.


def worst_failure_ratios() -> str:
    """BY_QUEUE: failure ratio, the queues with the highest."""
    return top(TOP, failure_ratio())


def failure_limit() -> str:
    """BY_QUEUE: the limit of the failure ratio, where it matters."""
    return near_limit(worst_failure_ratios(), gauge("queue_failure_ratio_limit"))


def dead_oldest() -> str:
    """BY_QUEUE: age of the oldest dead letter, 0 without any."""
    return gauge("queue_dead_oldest_age_seconds")


def expiring() -> str:
    """BY_QUEUE: dead letters that Dramatiq deletes within 24 hours, 0 included."""
    return gauge("queue_dead_expiring_jobs")


def oldest_dead() -> str:
    """BY_QUEUE: the same where there are any, the oldest."""
    return top(TOP, f"{dead_oldest()} > 0")


def in_service(by_queue: str) -> str:
    """Of the queues with workers now or within a day, or with waiting jobs; of all without the rules."""
    return f"({by_queue}) and ({_in_service()})"


def _in_service() -> str:
    """BY_QUEUE: the fewest workers that a queue in service must have."""
    everywhere = unless_rules_are_loaded(gauge("queue_min_workers"))
    return f"{recorded('queue:bioagents_queue_min_workers:in_service', 'queue')} or {everywhere}"


def _drawn_drain_time() -> str:
    """Not what is almost endless: one such point would flatten all others."""
    return f"{drain_time()} < 5 * {gauge('queue_drain_limit_seconds')}"


def _worst(by_queue: str) -> str:
    return f"max without (queue) ({by_queue})"
