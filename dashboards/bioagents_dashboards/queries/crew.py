"""Which workers stand out on the overview: the busiest and the newest."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import TOP, bottom, gauge, top
from bioagents_dashboards.queries.workers import FACTS, facts

_FACTS: Final = ", ".join(FACTS)


def busiest() -> str:
    """By worker and what it is: jobs that it runs, the workers that run the most."""
    return top(TOP, _described(gauge("worker_running_jobs")))


def busiest_slots() -> str:
    """By worker: threads of the same workers that take jobs, 0 while a worker drains."""
    return _of_the_busiest(gauge("worker_slots"))


def busiest_memory() -> str:
    """By worker: the share of its memory limit that each of the same workers uses."""
    share = f"{gauge('worker_memory_rss_bytes')} / ({gauge('worker_memory_limit_bytes')} > 0)"
    return _of_the_busiest(share)


def newest() -> str:
    """By worker and what it is: seconds since it started, the workers that started last."""
    return bottom(TOP, _described(f"(time() - {gauge('worker_start_time_seconds')})"))


def _of_the_busiest(by_worker: str) -> str:
    return f"{by_worker} and ignoring ({_FACTS}) {busiest()}"


def _described(by_worker: str) -> str:
    """Only these facts know a worker's queues, so the variable chooses before the highest are taken."""
    return f"{by_worker} * ignoring ({_FACTS}) group_left ({_FACTS}) {facts()}"
