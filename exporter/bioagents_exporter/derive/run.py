"""From a snapshot to families: which parts there are, what they need, and what is kept between scrapes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Final, NamedTuple

from bioagents_exporter.derive import exporter, jobs, queue_workers, queues, redis, signals, workers
from bioagents_exporter.derive.durations import DurationLimits
from bioagents_exporter.derive.family import Family
from bioagents_exporter.derive.queue_workers import QueueWorkers, workers_by_queue
from bioagents_exporter.derive.source_states import SourceStates
from bioagents_exporter.derive.totals import Layouts, PublishedTotals, TotalsMemory, comparable_run_id
from bioagents_exporter.derive.window import Window
from bioagents_exporter.derive.workers import WorkerKeys, WorkerStates, classify
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import CollectWorkers, Settings


class Memory:
    """What is kept from one scrape to the next; one for each exporter.

    ``lock`` is held while a thread derives or samples. ``clock`` measures durations, in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.lock = threading.Lock()
        self.states = SourceStates(clock)
        self.process = exporter.Process()
        self.totals, self.layouts = TotalsMemory(), Layouts()
        self.window, self.worker_keys = Window(), WorkerKeys()
        self.durations = DurationLimits()

    def scraped(self, seconds: float) -> None:
        """A scrape is finished and took this long."""
        with self.lock:
            self.states.scrape_duration = seconds

    def error(self, cause: str, n: int = 1) -> None:
        """Count something that a scrape had to leave out, by one of a few fixed causes."""
        with self.lock:
            self.states.error(cause, n)


@dataclass(frozen=True)
class View:
    """A snapshot whose data can be trusted, with what several parts need of it, calculated once, when asked.

    Where such a calculation raises, it raises for each part that asks.
    """

    snapshot: Snapshot
    server: Server
    memory: Memory
    settings: Settings
    now: float  # monotonic seconds of this process

    @cached_property
    def totals(self) -> list[PublishedTotals]:
        """The totals that may be published."""
        run_id = comparable_run_id(self.server)
        return self.memory.totals.update(self.snapshot.stores, self.snapshot.totals, run_id)

    @cached_property
    def worker_states(self) -> WorkerStates:
        """The workers that are alive and those that are missing."""
        return classify(self.snapshot.workers, self.server.time)

    @cached_property
    def queue_workers(self) -> dict[str, QueueWorkers]:
        """The living workers of each known queue."""
        names = (queue.name for queue in self.snapshot.queues)
        return workers_by_queue(self.worker_states, names, self.server.time)


def _fleet(view: View) -> Iterable[Family]:
    return queue_workers.families(view.queue_workers, len(view.worker_states.missing), view.snapshot.queues)


def _workers(view: View) -> Iterable[Family]:
    host = view.settings.host if view.settings.collect_workers == "host" else None
    return workers.families(view.worker_states, view.memory.worker_keys, host, view.server.time)


def _signals(view: View) -> Iterable[Family]:
    return signals.families(view.snapshot.queues, view.memory.window, view.now, view.settings.limits)


def _limits(view: View) -> Iterable[Family]:
    return signals.limit_families(view.snapshot.queues, view.settings.limits, view.memory.durations.limits)


class _Part(NamedTuple):
    """``age``: seconds by which the numbers are older than the snapshot, None where there are none yet."""

    name: str  # a value of the label `source`
    families: Callable[[View], Iterable[Family]]
    age: Callable[[View], float | None] = lambda _: 0.0


_CENTRAL: Final = (
    _Part("server", lambda view: redis.families(view.server)),
    _Part("queues", lambda view: queues.families(view.snapshot, view.server.time)),
    _Part(
        "audit",
        lambda view: queues.audit_families(view.snapshot.audits),
        lambda view: queues.audit_age(view.snapshot.audits, view.server.time),
    ),
    _Part("jobs", lambda view: jobs.families(view.totals, view.memory.layouts)),
    _Part("fleet", _fleet),
    _Part("signals", _signals),
    _Part("limits", _limits),
)
_WORKERS: Final = _Part("workers", _workers)
_WINDOW: Final = "window"

#: A sidecar publishes the workers of its host, a central copy everything else.
_ROLES: Final[MappingProxyType[CollectWorkers, tuple[_Part, ...]]] = MappingProxyType(
    {"all": (*_CENTRAL, _WORKERS), "host": (_WORKERS,), "none": _CENTRAL}
)


def derive(snapshot: Snapshot, memory: Memory, settings: Settings, now: float) -> list[Family]:
    """What one scrape publishes. ``now``: monotonic seconds of this process, the sampler's clock.

    Where the snapshot cannot be trusted that is ``redis_up 0`` and the exporter's own metrics: no old numbers
    and no zeros that were not read. Each metric occurs once.
    """
    with memory.lock:
        found = redis.reach(snapshot)
        found += _parts(snapshot, memory, settings, now)
        found += memory.states.run("process", memory.process.families, now)
        return [*found, *exporter.families(memory.states, now)]


def sample(snapshot: Snapshot, memory: Memory, settings: Settings, now: float) -> None:
    """Add one sample to the window; to be called every 5 s, scraped or not. A sidecar needs none."""
    if settings.collect_workers == "host":
        return
    with memory.lock:
        if redis.trouble(snapshot) or snapshot.server is None:
            memory.states.suspended(_WINDOW)
            return
        view = View(snapshot, snapshot.server, memory, settings, now)
        memory.states.run(_WINDOW, partial(_add_sample, view), now)


def _add_sample(view: View) -> tuple[()]:
    found = signals.samples(view.snapshot.queues, view.totals, view.memory.layouts)
    view.memory.window.add(view.now, found)
    view.memory.durations.update(view.totals, view.memory.layouts, view.now)
    return ()


def _parts(snapshot: Snapshot, memory: Memory, settings: Settings, now: float) -> list[Family]:
    states, parts = memory.states, _ROLES[settings.collect_workers]
    for cause, n in redis.causes(snapshot).items():
        states.error(cause, n)
    if snapshot.server is None:  # the reader has logged why
        states.suspended("redis", *(part.name for part in parts))
        return []
    if trouble := redis.trouble(snapshot):
        states.failed("redis", trouble)
        states.suspended(*(part.name for part in parts))
        return []
    states.succeeded("redis", now)
    states.sources["redis"].duration = snapshot.round_trip
    view = View(snapshot, snapshot.server, memory, settings, now)
    return [
        family
        for part in parts
        for family in states.run(part.name, partial(part.families, view), now, partial(part.age, view))
    ]
