"""Which workers stand out on the overview: the busiest and the newest."""

from __future__ import annotations

from bioagents_dashboards.queries.promql import TOP, bottom, gauge, top
from bioagents_dashboards.queries.workers import FACTS, described, memory_share


def busiest() -> str:
    """By worker and what it is: jobs that it runs, the workers that run the most."""
    return top(TOP, described(gauge("worker_running_jobs")))


def busiest_slots() -> str:
    """By worker: threads of the same workers that take jobs, 0 while a worker drains."""
    return _of_the_busiest(gauge("worker_slots"))


def busiest_memory() -> str:
    """By worker: the share of its memory limit that each of the same workers uses."""
    return _of_the_busiest(memory_share())


def newest() -> str:
    """By worker and what it is: seconds since it started, the workers that started last."""
    return bottom(TOP, described(f"(time() - {gauge('worker_start_time_seconds')})"))


def _of_the_busiest(by_worker: str) -> str:
    return f"{by_worker} and ignoring ({FACTS}) {busiest()}"
