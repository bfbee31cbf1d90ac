"""Who is alive, who is missing, and what the living do for each queue.

Silence is not death, so nobody is called dead: a worker is *alive* while its last heartbeat is younger than
max(15 s, 3 times its own interval), *missing* after that, and forgotten after an hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

from bioagents_exporter.read.snapshot import Worker, is_queue

SILENCE: Final = 15.0  # seconds that any worker may be silent
INTERVALS: Final = 3  # of its own that any worker may be silent
FORGOTTEN: Final = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Roll:
    """The workers that are still known."""

    alive: list[Worker]
    missing: list[Worker]


@dataclass(slots=True)
class Crew:
    """What all living workers together do for one queue."""

    workers: int = 0  # not draining
    draining: int = 0  # workers
    draining_held: int = 0  # jobs
    slots: int = 0
    running: int = 0  # jobs
    longest: float = 0.0  # seconds


def call_roll(workers: Iterable[Worker], now: float) -> Roll:
    """``now``: unix seconds by the server's clock. A heartbeat from its future is a living one."""
    alive: list[Worker] = []
    missing: list[Worker] = []
    for worker in _latest(workers):
        age = now - worker.seen
        if age >= FORGOTTEN:
            continue
        (alive if age < max(SILENCE, INTERVALS * worker.state.interval) else missing).append(worker)
    return Roll(alive, missing)


def crews(roll: Roll, known: Iterable[str], now: float) -> dict[str, Crew]:
    """Queue → crew, for every known queue, sorted; a queue that anyone consumes is known.

    Anything may stand in a heartbeat: names that no queue can have are left out.
    """
    found: dict[str, Crew] = defaultdict(Crew)
    consumed = (name for worker in roll.missing for name in worker.identity.queues)
    found.update((name, Crew()) for name in chain(known, consumed))
    for worker in roll.alive:
        _join(found, worker, max(now - worker.seen, 0))
    return {name: found[name] for name in sorted(found) if is_queue(name)}


def _join(found: dict[str, Crew], worker: Worker, age: float) -> None:
    state = worker.state
    for name in worker.identity.queues:
        crew = found[name]
        if state.draining:
            crew.draining += 1
        else:
            crew.workers += 1
            crew.slots += state.threads
    for name, n in (state.running or {}).items():
        found[name].running += n
    if state.draining:
        for name, n in (state.held or {}).items():
            found[name].draining_held += n
    for job in state.oldest:
        crew, job_age = found[job.queue], job.age + age
        crew.longest = max(crew.longest, job_age)


def _latest(workers: Iterable[Worker]) -> Iterable[Worker]:
    """One heartbeat for each worker, should both wire versions have one."""
    latest: dict[str, Worker] = {}
    for worker in workers:
        known = latest.get(worker.id)
        if known is None or known.seen < worker.seen:
            latest[worker.id] = worker
    return latest.values()
