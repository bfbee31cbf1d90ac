"""Who works, on what and with how much memory."""

from __future__ import annotations

from bioagents_dashboards.queries.promql import NONE, TOP, gauge, near_limit, rate, top
from bioagents_dashboards.queries.redis import redis_up


def workers_alive() -> str:
    """Workers with a fresh heartbeat, draining ones included; 0 where Redis is read and knows of none."""
    known = gauge("worker_info", keep=NONE, how="count")
    return f"({known} or 0 * ({redis_up()} == 1)) - {workers_missing()}"


def workers_missing() -> str:
    """Workers that fell silent without a goodbye within the last hour."""
    return gauge("workers_missing")


def fleet_slots() -> str:
    """Threads of all workers that could run a job (a worker of several queues counts once)."""
    return gauge("worker_slots", keep=NONE)


def fleet_running() -> str:
    """Jobs that all workers run."""
    return gauge("worker_running_jobs", keep=NONE)


def worker_memory() -> str:
    """By worker, with host and pid: the workers that occupy the most memory."""
    return _with_host(top(TOP, gauge("worker_memory_rss_bytes")))


def worker_memory_limit() -> str:
    """By worker, with host and pid: its memory limit, where more than half of it is used."""
    limit = gauge("worker_memory_limit_bytes")
    return _with_host(top(TOP, near_limit(gauge("worker_memory_rss_bytes"), limit)))


def _with_host(by_worker: str) -> str:
    facts = gauge("worker_info", keep=("worker", "host", "pid"), how="max")
    return f"{by_worker} * on (job, fleet, worker) group_left (host, pid) {facts}"


def new_versions() -> str:
    """By version: what no worker of a fleet ran a minute ago, where it had workers then."""
    now = gauge("worker_info", keep=("version",), how="max")
    before = gauge("worker_info", keep=("version",), how="max", ago="1m")
    return f"({now} unless {before}) and on (job, fleet) {before}"


def boots_by_host() -> str:
    """By host: boots of workers per second, where there are any."""
    return f"{rate('worker_boots_total', keep=('host',))} > 0"
