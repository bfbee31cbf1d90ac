"""The state of a fleet for people and scripts, picked from what is published; its fields are a contract."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from bioagents_exporter.derive import (
    Family,
    Key,
    Metric,
    Number,
    queue_workers,
    queues,
    signals,
    trouble,
    workers,
)
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.serve.collector import Collected
from bioagents_exporter.settings import Settings
from bioagents_worker import __version__

Known = Number | None  # None: not known


@dataclass(frozen=True, slots=True)
class RedisStatus:
    """Redis as this copy sees it."""

    up: bool
    trouble: str  # why its numbers are not published, or empty
    version: str | None
    software: str | None
    role: str | None
    mode: str | None
    round_trip_seconds: float | None
    memory_used_bytes: int | None
    memory_max_bytes: int | None  # 0: no limit
    maxmemory_policy: str | None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue, as in docs/reference/metrics.md.

    ``waiting``, ``active``, ``delayed`` and ``dead`` are ``queue_depth`` in that state; each later field is
    the metric ``queue_…`` of the same name.
    """

    name: str
    waiting: Known
    active: Known
    delayed: Known
    dead: Known
    oldest_job_age_seconds: Known
    longest_running_job_seconds: Known
    running_jobs: Known
    workers: Known
    draining_workers: Known
    slots: Known
    orphaned_jobs: Known
    unheld_jobs: Known
    stuck_jobs: Known
    overdue_delayed_jobs: Known
    failure_ratio: Known
    failures_per_second: Known
    drain_seconds: Known
    load_ratio: Known
    desired_workers: Known
    depth_limit: Known
    wait_limit_seconds: Known
    drain_limit_seconds: Known
    failure_ratio_limit: Known
    min_workers: Known
    max_workers: Known
    job_duration_limit_seconds: Known
    #: Version of the application → seconds since the latest start of a worker with it.
    started_seconds_ago: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker, for an hour after its last heartbeat."""

    worker: str
    host: str
    pid: str
    queues: str
    version: str
    alive: bool
    threads: Known
    slots: Known
    running_jobs: Known
    memory_rss_bytes: Known
    memory_limit_bytes: Known
    last_heartbeat_timestamp_seconds: Known


@dataclass(frozen=True, slots=True)
class Status:
    """Everything. ``errors``: what was left out of reads since the start, by cause."""

    version: str
    fleet: str
    namespace: str
    role: str
    redis: RedisStatus
    workers_missing: Known
    queues: tuple[QueueStatus, ...]
    workers: tuple[WorkerStatus, ...]
    errors: Mapping[str, int]
    warnings: tuple[str, ...]


_QUEUE: Final[Mapping[str, Metric]] = {
    "oldest_job_age_seconds": queues.OLDEST_AGE,
    "longest_running_job_seconds": queue_workers.LONGEST_RUNNING,
    "running_jobs": queue_workers.RUNNING,
    "workers": queue_workers.WORKERS,
    "draining_workers": queue_workers.DRAINING_WORKERS,
    "slots": queue_workers.SLOTS,
    "orphaned_jobs": queues.ORPHANED,
    "unheld_jobs": queues.UNHELD,
    "stuck_jobs": queues.STUCK,
    "overdue_delayed_jobs": queues.OVERDUE,
    "failure_ratio": signals.FAILURE_RATIO,
    "failures_per_second": signals.FAILURES_PER_SECOND,
    "drain_seconds": signals.DRAIN,
    "load_ratio": queue_workers.LOAD_RATIO,
    "desired_workers": signals.DESIRED_WORKERS,
    "depth_limit": signals.DEPTH_LIMIT,
    "wait_limit_seconds": signals.WAIT_LIMIT,
    "drain_limit_seconds": signals.DRAIN_LIMIT,
    "failure_ratio_limit": signals.FAILURE_RATIO_LIMIT,
    "min_workers": signals.MIN_WORKERS,
    "max_workers": signals.MAX_WORKERS,
    "job_duration_limit_seconds": signals.JOB_DURATION_LIMIT,
}
_STATES: Final = ("waiting", "active", "delayed", "dead")
_WORKER: Final[Mapping[str, Metric]] = {
    "threads": workers.THREADS,
    "slots": workers.SLOTS,
    "running_jobs": workers.RUNNING,
    "memory_rss_bytes": workers.MEMORY,
    "memory_limit_bytes": workers.MEMORY_LIMIT,
    "last_heartbeat_timestamp_seconds": workers.LAST_HEARTBEAT,
}


class _Published:
    """The published numbers by metric and key."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = {family.metric.name: family for family in families}
        self._tables: dict[str, dict[Key, Number]] = {}

    def table(self, metric: Metric) -> dict[Key, Number]:
        if metric.name not in self._tables:
            family = self._families.get(metric.name)
            pairs = zip(family.keys, family.values, strict=True) if family else ()
            self._tables[metric.name] = dict(pairs)
        return self._tables[metric.name]

    def row(self, metrics: Mapping[str, Metric], name: str) -> dict[str, Any]:
        return {field: self.table(metric).get((name,)) for field, metric in metrics.items()}


def status(
    collected: Collected, settings: Settings, errors: Mapping[str, int], warnings: tuple[str, ...] = ()
) -> Status:
    """The state at one scrape."""
    published = _Published(collected.families)
    return Status(
        version=__version__,
        fleet=settings.fleet,
        namespace=settings.namespace,
        role=settings.collect_workers,
        redis=_redis(collected.snapshot),
        workers_missing=published.table(queue_workers.MISSING).get(()),
        queues=_queues(published, collected.snapshot.server),
        workers=tuple(
            _worker(published, key) for key in sorted(published.table(workers.INFO), key=_by_place)
        ),
        errors={cause: n for cause, n in errors.items() if n},
        warnings=warnings,
    )


def to_json(value: Status) -> bytes:
    """JSON for scripts: a number that is not finite is the text ``"+Inf"``, an unknown one ``null``."""
    return json.dumps(_finite(asdict(value)), allow_nan=False).encode()


def _finite(value: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(value, float) and not math.isfinite(value):
        return "+Inf" if value > 0 else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, (list, tuple)) else value


def _redis(snapshot: Snapshot) -> RedisStatus:
    server, why = snapshot.server, trouble(snapshot)
    return RedisStatus(
        up=not why, trouble=snapshot.failure or why, **_server(server),
        round_trip_seconds=snapshot.round_trip if server else None,
    )  # fmt: skip


def _server(server: Server | None) -> dict[str, Any]:
    names = ("version", "software", "role", "mode")
    sizes = {"memory_used_bytes": "memory_used", "memory_max_bytes": "memory_max"}
    fields = {name: name for name in (*names, "maxmemory_policy")} | sizes
    return {field: getattr(server, name, None) for field, name in fields.items()}


def _queue_names(published: _Published) -> set[str]:
    names = {queue for queue, _ in published.table(queues.DEPTH)}
    return names.union(*((key[0] for key in published.table(metric)) for metric in _QUEUE.values()))


def _queues(published: _Published, server: Server | None) -> tuple[QueueStatus, ...]:
    starts: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, version), start in published.table(queue_workers.LAST_START).items():
        starts[name][version] = max(server.time - start, 0) if server else 0
    return tuple(_queue(published, name, starts[name]) for name in sorted(_queue_names(published)))


def _queue(published: _Published, name: str, started: Mapping[str, float]) -> QueueStatus:
    depth = published.table(queues.DEPTH)
    states = {state: depth.get((name, state)) for state in _STATES}
    row = published.row(_QUEUE, name)
    return QueueStatus(name=name, **states, **row, started_seconds_ago=started)


def _worker(published: _Published, key: Key) -> WorkerStatus:
    facts = dict(zip(workers.INFO.labels, key, strict=True))
    row = published.row(_WORKER, facts["worker"])
    return WorkerStatus(
        worker=facts["worker"], host=facts["host"], pid=facts["pid"], queues=facts["queues"],
        version=facts["version"], alive=row["slots"] is not None, **row,
    )  # fmt: skip


def _by_place(key: Key) -> tuple[str, str, str]:
    facts = dict(zip(workers.INFO.labels, key, strict=True))
    return facts["host"], facts["pid"].rjust(8), facts["worker"]
