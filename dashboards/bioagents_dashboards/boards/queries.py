"""Every query of the boards by what it asks, apart from the panels that draw it.

Each function returns PromQL. ``BY_QUEUE`` queries give one series for each queue of a fleet, the others one
for each fleet, unless their docstring says more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from bioagents_dashboards.boards.promql import gauge, quantile, rate, top, variable_selector
from bioagents_dashboards.boards.rules import alert_names

#: A graph draws at most this many lines of queues, actors or workers at each moment.
TOP: Final = 10

#: From a fraction (0.95) to a query.
Quantile: TypeAlias = Callable[[float], str]

QUEUE: Final = ("queue",)
NONE: Final = ()


def alerts(state: str = "firing", *, series: str = "ALERTS") -> str:
    """Alerts of our rules, in the chosen fleets or without a fleet (as ``absent`` leaves them)."""
    matchers = [f'alertstate="{state}"'] if series == "ALERTS" else []
    matchers += [f'alertname=~"{"|".join(alert_names())}"', 'fleet=~"$fleet|"']
    return f"{series}{{{', '.join(matchers)}}}"


def firing_alerts() -> str:
    """How many alerts fire, 0 in a fleet that reports and has none."""
    return f"count by (fleet) ({alerts()}) or 0 * max by (fleet) ({gauge('redis_up')})"


def firing_for() -> str:
    """Seconds since the first of the alerts that fire became true, by fleet; nothing while none fires."""
    return f"max by (fleet) ({alert_age()})"


def alert_age() -> str:
    """Seconds since each firing alert became true."""
    return f"time() - ({alerts(series='ALERTS_FOR_STATE')} and ignoring (alertstate) {alerts()})"


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


def redis_up() -> str:
    """1 while at least one copy of the exporter reads Redis."""
    return gauge("redis_up")


def workers_alive() -> str:
    """Workers with a fresh heartbeat, draining ones included; 0 where Redis is read and knows of none."""
    known = gauge("worker_info", keep=NONE, how="count")
    return f"({known} or 0 * ({redis_up()} == 1)) - {workers_missing()}"


def workers_missing() -> str:
    """Workers that fell silent without a goodbye within the last hour."""
    return gauge("workers_missing")


def waiting() -> str:
    """BY_QUEUE: jobs in the list."""
    return gauge("queue_depth", keep=QUEUE, state="waiting")


def waiting_of_fleet() -> str:
    """Jobs in the lists of all chosen queues."""
    return gauge("queue_depth", keep=NONE, state="waiting")


def busiest_waiting() -> str:
    """BY_QUEUE: the queues with the most waiting jobs."""
    return top(TOP, waiting())


def near_limit(value: str, limit: str) -> str:
    """BY_QUEUE or worker: the limit where over half of it is used, so that lines appear when they matter."""
    return f"{limit} and ({value} > 0.5 * {limit})"


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


def dead_letters() -> str:
    """BY_QUEUE: dead letters kept in Redis, the queues with the most."""
    return top(TOP, gauge("queue_depth", keep=QUEUE, state="dead"))


def dead_expiring() -> str:
    """BY_QUEUE: dead letters that Dramatiq deletes within 24 hours."""
    return top(TOP, f"{gauge('queue_dead_expiring_jobs')} > 0")


def fleet_slots() -> str:
    """Threads of all workers that could run a job (a worker of several queues counts once)."""
    return gauge("worker_slots", keep=NONE)


def fleet_running() -> str:
    """Jobs that all workers run."""
    return gauge("worker_running_jobs", keep=NONE)


def draining_workers() -> str:
    """BY_QUEUE: workers that finish what they have and then stop."""
    return f"{gauge('queue_draining_workers')} > 0"


def worker_memory() -> str:
    """By worker, with host and pid: the workers that occupy the most memory."""
    return _with_host(top(TOP, gauge("worker_memory_rss_bytes")))


def worker_memory_limit() -> str:
    """By worker, with host and pid: its memory limit, where more than half of it is used."""
    limit = gauge("worker_memory_limit_bytes")
    return _with_host(top(TOP, near_limit(gauge("worker_memory_rss_bytes"), limit)))


def label_values(name: str, label: str, *within: str) -> str:
    """Grafana's query for a variable: the values of a label, ``within`` what other variables chose."""
    return f"label_values({variable_selector(name, *within)}, {label})"


def _with_host(by_worker: str) -> str:
    facts = gauge("worker_info", keep=("worker", "host", "pid"), how="max")
    return f"{by_worker} * on (job, fleet, worker) group_left (host, pid) {facts}"
