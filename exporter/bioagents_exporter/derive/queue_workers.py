"""The heartbeats of all workers, added up by queue."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from bioagents_exporter.derive.family import Family, Metric, by_queue, known, single
from bioagents_exporter.derive.workers import WorkerStates
from bioagents_exporter.read.snapshot import Queue, Worker, is_queue
from bioagents_worker.wire import State

WORKERS: Final = by_queue(
    "queue_workers",
    "workers",
    "Number of living workers that consume the queue and are not draining.",
    "heartbeats younger than max(15 s, 3 x the worker's interval), not draining; 0 for every known queue",
)
DRAINING_WORKERS: Final = by_queue(
    "queue_draining_workers",
    "workers",
    "Number of living workers of the queue that finish the jobs that they have and then stop.",
    "as `queue_workers`, draining",
)
DRAINING_HELD: Final = by_queue(
    "queue_draining_held_jobs",
    "jobs",
    "Number of jobs of the queue that draining workers hold, both running and waiting in their memory.",
    "Σ `held` of the heartbeats of draining workers; without delayed jobs; absent if the consumers of one do "
    "not report what they hold",
)
SLOTS: Final = by_queue(
    "queue_slots",
    "slots",
    "Number of living worker threads that could run a job of the queue.",
    "Σ living threads of living workers that consume the queue and do not drain; a worker of several queues "
    "counts in each",
)
RUNNING: Final = by_queue(
    "queue_running_jobs",
    "jobs",
    "Number of jobs of the queue that living workers are running, draining ones included.",
    "Σ `running` of the heartbeats of living workers",
)
LONGEST_RUNNING: Final = by_queue(
    "queue_longest_running_job_seconds",
    "seconds",
    "Time for which the longest-running job of the queue has been running, 0 when none runs.",
    "max of a running job's age in a living worker's heartbeat + the age of that heartbeat",
)
LAST_START: Final = Metric(
    "queue_last_worker_start_time_seconds",
    "gauge",
    ("queue", "version"),
    "seconds",
    "Unix time of the latest start among the queue's living workers that are not draining, by version of the "
    "application.",
    "max of the start times in the heartbeats of these workers, by each worker's own clock",
)
MISSING: Final = Metric(
    "workers_missing",
    "gauge",
    (),
    "workers",
    "Number of workers that stopped sending heartbeats within the last hour without a clean shutdown.",
    "heartbeats older than max(15 s, 3 x the worker's interval) and younger than 1 h",
)
LOAD_RATIO: Final = by_queue(
    "queue_load_ratio",
    "ratio",
    "Number of running or waiting jobs for each slot, +Inf when jobs wait and there is no slot.",
    "(running + waiting) / slots; 0 when there is no slot and nothing waits",
)


@dataclass(slots=True)
class QueueWorkers:
    """All living workers of one queue, added up."""

    workers: int = 0  # not draining
    draining: int = 0  # workers
    draining_held: int | None = 0  # jobs; None: a worker does not know
    slots: int | None = 0  # as `draining_held`
    running: int = 0  # jobs
    longest: float = 0.0  # seconds
    starts: dict[str, float] = field(default_factory=dict)  # version → Unix time of the latest start


def families(by_name: Mapping[str, QueueWorkers], missing: int, queues: Sequence[Queue]) -> Iterator[Family]:
    """Workers, slots and running jobs of every known queue, at 0 where there are none."""
    keys = [(name,) for name in by_name]
    found = list(by_name.values())
    yield Family(WORKERS, keys, [each.workers for each in found])
    yield Family(DRAINING_WORKERS, keys, [each.draining for each in found])
    yield known(DRAINING_HELD, keys, (each.draining_held for each in found))
    yield known(SLOTS, keys, (each.slots for each in found))
    yield Family(RUNNING, keys, [each.running for each in found])
    yield Family(LONGEST_RUNNING, keys, [each.longest for each in found])
    starts = {(name, version): at for name, each in by_name.items() for version, at in each.starts.items()}
    yield Family(LAST_START, [*starts], [*starts.values()])
    yield single(MISSING, missing)
    waiting = {queue.name: queue.waiting for queue in queues}
    ratios = (_load_ratio(waiting.get(name), each) for name, each in by_name.items())
    yield known(LOAD_RATIO, keys, ratios)


def workers_by_queue(states: WorkerStates, queues: Iterable[str], now: float) -> dict[str, QueueWorkers]:
    """The workers of each known queue, sorted by its name; a queue that any worker consumes is known.

    ``now``: unix seconds by the server's clock. Names in heartbeats that no queue can have are left out.
    """
    found: dict[str, QueueWorkers] = defaultdict(QueueWorkers)
    consumed = (name for worker in states.missing for name in worker.identity.queues)
    found.update((name, QueueWorkers()) for name in chain(queues, consumed))
    for worker in states.alive:
        _add(found, worker, max(now - worker.seen, 0))
    return {name: found[name] for name in sorted(found) if is_queue(name)}


def _add(found: dict[str, QueueWorkers], worker: Worker, age: float) -> None:
    state, version, start = worker.state, worker.identity.version, worker.identity.start
    for name in worker.identity.queues:
        queue = found[name]
        if state.draining:
            queue.draining += 1
        else:
            queue.workers += 1
            queue.slots = None if "threads" in state.unknown else _plus(queue.slots, state.threads)
            if start >= queue.starts.get(version, start):
                queue.starts[version] = start
    for name, n in (state.running or {}).items():
        found[name].running += n
    if state.draining:
        _add_held(found, state)
    for job in state.oldest:
        queue, job_age = found[job.queue], job.age + age
        queue.longest = max(queue.longest, job_age)


def _plus(total: int | None, n: int) -> int | None:
    """None remains None: a sum without one of its parts would be wrong."""
    return None if total is None else total + n


def _add_held(found: dict[str, QueueWorkers], state: State) -> None:
    for name, n in (state.held or {}).items():
        found[name].draining_held = _plus(found[name].draining_held, n)
    for name in state.uncounted:
        found[name].draining_held = None


def _load_ratio(waiting: int | None, workers: QueueWorkers) -> float | None:
    if waiting is None or workers.slots is None:
        return None
    if workers.slots:
        return (workers.running + waiting) / workers.slots
    return math.inf if waiting else 0
