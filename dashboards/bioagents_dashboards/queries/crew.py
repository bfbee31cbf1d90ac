"""Which workers stand out on the overview: the busiest and the newest."""

from __future__ import annotations

from bioagents_dashboards.queries.promql import TOP, bottom, gauge, top

_FACTS = ("host", "pid", "queues", "version")


def busiest() -> str:
    """By worker and what it is: jobs that it runs, the workers that run the most."""
    return _described(_busiest())


def busiest_slots() -> str:
    """By worker: threads of the same workers that take jobs, 0 while a worker drains."""
    return f"{gauge('worker_slots')} and {_busiest()}"


def busiest_memory() -> str:
    """By worker: the share of its memory limit that each of the same workers uses."""
    share = f"{gauge('worker_memory_rss_bytes')} / ({gauge('worker_memory_limit_bytes')} > 0)"
    return f"{share} and {_busiest()}"


def newest() -> str:
    """By worker and what it is: seconds since it started, the workers that started last."""
    return _described(bottom(TOP, f"time() - {gauge('worker_start_time_seconds')}"))


def _busiest() -> str:
    return top(TOP, gauge("worker_running_jobs"))


def _described(by_worker: str) -> str:
    facts = gauge("worker_info", keep=("worker", *_FACTS), how="max")
    labels = ", ".join(_FACTS)
    return f"{by_worker} * ignoring ({labels}) group_left ({labels}) {facts}"
