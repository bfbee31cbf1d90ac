"""The workers, from their heartbeats: which are alive and which are missing, and the numbers of each.

A worker that stopped sending heartbeats may still run, so it is called missing, not dead: a worker is *alive*
while its last heartbeat is younger than max(15 s, 3 times its own interval), *missing* after that, and
forgotten after an hour. The numbers of a missing worker are no longer true and are not published; its facts
and the time of its last heartbeat are published for the hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from bioagents_exporter.derive.family import Family, Key, Metric, Number, Type, known
from bioagents_exporter.read.snapshot import Worker, is_queue
from bioagents_worker.wire import Identity, is_alive

FORGOTTEN: Final = 3600.0  # seconds
LONG: Final = 60.0  # seconds; a job that runs for less has no series of its own
_LISTED_QUEUES: Final = 16  # in one label value
#: Fields of the identity that are labels of ``worker_info``.
_FACTS: Final = ("host", "pid", "queues", "version", "dramatiq", "python", "monitor", "threads")


def _worker(name: str, unit: str, text: str, formula: str, kind: Type = "gauge") -> Metric:
    return Metric(name, kind, ("worker",), unit, text, formula)


INFO: Final = Metric(
    "worker_info",
    "gauge",
    ("worker", *_FACTS),
    "",
    "Information about a worker as labels, for an hour after its last heartbeat; the value is always 1.",
    "heartbeat: host name; process id; consumed queues (the first 16, a digest of the others); `version` of "
    "the application; versions of Dramatiq, Python and `monitor`, this package; configured threads",
)
LAST_HEARTBEAT: Final = _worker(
    "worker_last_heartbeat_timestamp_seconds",
    "seconds",
    "Unix time of the worker's last heartbeat, for an hour after it.",
    "Redis' clock at the heartbeat",
)
SLOTS: Final = _worker(
    "worker_slots",
    "slots",
    "Number of living worker threads that take jobs, 0 while the worker drains.",
    "heartbeat: living worker threads",
)
THREADS: Final = _worker(
    "worker_threads",
    "threads",
    "Number of worker threads with which the worker was started.",
    "heartbeat: configured threads",
)
CONSUMER_THREADS: Final = _worker(
    "worker_consumer_threads",
    "threads",
    "Number of living consumer threads; a dead one no longer fetches its queue.",
    "heartbeat: living consumer threads, two for each consumed queue",
)
RUNNING: Final = _worker(
    "worker_running_jobs",
    "jobs",
    "Number of jobs that the worker is running.",
    "heartbeat: attempts under way",
)
MEMORY: Final = _worker(
    "worker_memory_rss_bytes",
    "bytes",
    "Resident memory of the worker's process.",
    "heartbeat: resident set size",
)
MEMORY_LIMIT: Final = _worker(
    "worker_memory_limit_bytes",
    "bytes",
    "Memory limit of the worker's control group or, without one, the memory of its host.",
    "heartbeat: cgroup v2 or v1 limit, else the host's memory; shared by all processes there",
)
CPU: Final = _worker(
    "worker_cpu_seconds_total",
    "seconds",
    "CPU time that the worker's process has used.",
    "heartbeat: user + system time",
    kind="counter",
)
JOBS: Final = _worker(
    "worker_jobs_total",
    "attempts",
    "Number of attempts that the worker has finished.",
    "heartbeat: attempts since boot",
    kind="counter",
)
START_TIME: Final = _worker(
    "worker_start_time_seconds",
    "seconds",
    "Unix time at which the worker started, by its own clock.",
    "heartbeat: unix time at boot",
)
CLOCK_SKEW: Final = _worker(
    "worker_clock_skew_seconds",
    "seconds",
    "Time by which the worker's clock is ahead of Redis' clock.",
    "heartbeat: worker's clock - Redis' clock at the last call",
)
FLUSH_AGE: Final = _worker(
    "worker_flush_age_seconds",
    "seconds",
    "Age of the oldest count that the worker sent with its last heartbeat.",
    "heartbeat: time from the first count of the difference to the call that carried it",
)
LONGEST_RUNNING: Final = Metric(
    "worker_longest_running_job_seconds",
    "gauge",
    ("worker", "queue", "actor"),
    "seconds",
    "Time for which the worker's longest-running job of a queue has been running, absent below one minute.",
    "of each queue in a living worker's heartbeat the oldest running job: its age + the age of the heartbeat",
)


@dataclass(frozen=True, slots=True)
class WorkerStates:
    """The workers that are still known."""

    alive: list[Worker]
    missing: list[Worker]


def classify(workers: Iterable[Worker], now: float) -> WorkerStates:
    """``now``: unix seconds by the server's clock. A worker with a heartbeat from the future is alive."""
    alive: list[Worker] = []
    missing: list[Worker] = []
    for worker in _latest(workers):
        age = now - worker.seen
        if age >= FORGOTTEN:
            continue
        (alive if is_alive(age, worker.state.interval) else missing).append(worker)
    return WorkerStates(alive, missing)


def _latest(workers: Iterable[Worker]) -> Iterable[Worker]:
    """One heartbeat for each worker, should both wire versions have one."""
    latest: dict[str, Worker] = {}
    for worker in workers:
        known_one = latest.get(worker.id)
        if known_one is None or known_one.seen < worker.seen:
            latest[worker.id] = worker
    return latest.values()


def families(states: WorkerStates, labels: WorkerKeys, host: str | None, now: float) -> Iterator[Family]:
    """The series by worker at ``now``, the server's time; ``host``: of the workers on this host alone."""
    alive, missing = _on(host, states.alive), _on(host, states.missing)
    everyone = alive + missing
    keys = labels.of(everyone)
    own = [key.own for key in keys]
    yield Family(INFO, [key.info for key in keys], [1] * len(keys))
    yield Family(LAST_HEARTBEAT, own, [w.seen for w in everyone])
    yield from _of_the_living(alive, own[: len(alive)] if missing else own)
    # Most workers run short jobs: they cost one comparison.
    busy = [w for w in alive if w.state.oldest and w.state.oldest[0].age + now - w.seen >= LONG]
    long = {key: age for worker in busy for key, age in _long_jobs(worker, now)}
    yield Family(LONGEST_RUNNING, [*long], [*long.values()])


def _of_the_living(alive: list[Worker], keys: list[Key]) -> Iterator[Family]:
    yield _read(SLOTS, "threads", alive, keys, [0 if w.state.draining else w.state.threads for w in alive])
    yield _read(THREADS, "threads", alive, keys, [w.identity.threads for w in alive])
    yield _read(CONSUMER_THREADS, "consumers", alive, keys, [w.state.consumers for w in alive])
    yield Family(RUNNING, keys, [sum(w.state.running.values()) if w.state.running else 0 for w in alive])
    yield _read(MEMORY, "rss", alive, keys, [w.state.rss for w in alive])
    yield known(MEMORY_LIMIT, keys, (w.state.limit for w in alive))
    yield _read(CPU, "cpu", alive, keys, [w.state.cpu for w in alive])
    yield Family(JOBS, keys, [w.state.jobs for w in alive])
    yield Family(START_TIME, keys, [w.identity.start for w in alive])
    yield Family(CLOCK_SKEW, keys, [w.state.skew for w in alive])
    yield Family(FLUSH_AGE, keys, [w.state.flush_age for w in alive])


def _long_jobs(worker: Worker, now: float) -> Iterator[tuple[Key, float]]:
    """Of each queue the oldest running job, if it is old: a heartbeat lists the oldest jobs first."""
    since, seen = max(now - worker.seen, 0), set[str]()
    for job in worker.state.oldest:
        if job.age + since < LONG:
            return
        if job.queue not in seen and is_queue(job.queue):
            seen.add(job.queue)
            yield (worker.id, job.queue, job.actor), job.age + since


def _read(metric: Metric, name: str, alive: list[Worker], keys: list[Key], values: list[Number]) -> Family:
    """The values but those of workers that could not read this field of their state."""
    unread = {i for i, worker in enumerate(alive) if worker.state.unknown and name in worker.state.unknown}
    if not unread:
        return Family(metric, keys, values)
    return known(metric, keys, (None if i in unread else value for i, value in enumerate(values)))


def _on(host: str | None, workers: list[Worker]) -> list[Worker]:
    return workers if host is None else [w for w in workers if w.identity.host == host]


class _Keys(NamedTuple):
    """Of one worker."""

    identity: Identity
    own: Key
    info: Key


class WorkerKeys:
    """The keys of workers, kept while they are known: they never change."""

    def __init__(self) -> None:
        self._keys: dict[str, _Keys] = {}

    def of(self, workers: list[Worker]) -> list[_Keys]:
        """The keys of each worker; all others are forgotten."""
        before, self._keys = self._keys, {}
        for worker in workers:
            keys = before.get(worker.id)
            if keys is None or keys.identity is not worker.identity:
                keys = _Keys(worker.identity, (worker.id,), _info_key(worker))
            self._keys[worker.id] = keys
        return list(self._keys.values())


def _info_key(worker: Worker) -> Key:
    return (worker.id, *(_text(getattr(worker.identity, name)) for name in _FACTS))


def _text(value: object) -> str:
    return _listed(value) if isinstance(value, tuple) else str(value)


def _listed(queues: tuple[str, ...]) -> str:
    """Bounded: a worker may consume a thousand queues. The digest of the rest keeps two roles distinct."""
    shown, rest = ",".join(queues[:_LISTED_QUEUES]), queues[_LISTED_QUEUES:]
    return f"{shown},+{len(rest)} more ({_digest(rest)})" if rest else shown


def _digest(names: tuple[str, ...]) -> str:
    """Eight letters that differ where the names do, the same in every copy of the exporter."""
    return sha256("\n".join(names).encode()).hexdigest()[:8]
