"""From a snapshot to families: which parts there are, who runs them, what happens when one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from bioagents_exporter.derive import audit, fleet, jobs, limits, own, queues, redis, signals, workers
from bioagents_exporter.derive.family import Family
from bioagents_exporter.derive.memory import Memory
from bioagents_exporter.derive.view import View
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import CollectWorkers, Settings


class _Part(NamedTuple):
    """``age``: seconds that the numbers are older than the snapshot, None where there are none yet."""

    name: str  # a value of the label `source`
    families: Callable[[View], Iterable[Family]]
    age: Callable[[View], float | None] = lambda _: 0.0


_CENTRAL: Final = (
    _Part("server", redis.families),
    _Part("queues", queues.families),
    _Part("audit", audit.families, audit.age),
    _Part("jobs", jobs.families),
    _Part("fleet", fleet.families),
    _Part("signals", signals.families),
    _Part("limits", limits.families),
)
_WORKERS: Final = _Part("workers", workers.families)
_WINDOW: Final = "window"

#: A sidecar publishes what only it knows best, a central copy what one copy is enough for.
_ROLES: Final[MappingProxyType[CollectWorkers, tuple[_Part, ...]]] = MappingProxyType(
    {"all": (*_CENTRAL, _WORKERS), "host": (_WORKERS,), "none": _CENTRAL}
)


def derive(snapshot: Snapshot, memory: Memory, settings: Settings, now: float) -> list[Family]:
    """What one scrape publishes. ``now``: monotonic seconds of this process, the sampler's clock.

    Where the snapshot cannot be trusted that is ``redis_up 0`` and what is known of the exporter: neither
    numbers of some time ago nor zeros that were not read. Each metric occurs once.
    """
    with memory.lock:
        found = redis.reach(snapshot)
        found += _parts(snapshot, memory, settings, now)
        found += memory.ledger.run("process", memory.process.families, now)
        return [*found, *own.families(memory.ledger, now)]


def sample(snapshot: Snapshot, memory: Memory, settings: Settings, now: float) -> None:
    """Add one sample to the window; to be called every 5 s, scraped or not. A sidecar needs none."""
    if settings.collect_workers == "host":
        return
    with memory.lock:
        if redis.trouble(snapshot) or snapshot.server is None:
            memory.ledger.suspended(_WINDOW)
            return
        view = memory.view(snapshot, snapshot.server, settings, now)
        memory.ledger.run(_WINDOW, partial(_add_sample, view), now)


def _add_sample(view: View) -> tuple[()]:
    view.window.add(view.now, signals.readings(view))
    return ()


def _parts(snapshot: Snapshot, memory: Memory, settings: Settings, now: float) -> list[Family]:
    ledger, parts = memory.ledger, _ROLES[settings.collect_workers]
    for cause, n in redis.causes(snapshot).items():
        ledger.error(cause, n)
    if snapshot.server is None:  # the reader has logged why
        ledger.suspended("redis", *(part.name for part in parts))
        return []
    if trouble := redis.trouble(snapshot):
        ledger.failed("redis", trouble)
        ledger.suspended(*(part.name for part in parts))
        return []
    ledger.succeeded("redis", now)
    ledger.sources["redis"].duration = snapshot.round_trip
    view = memory.view(snapshot, snapshot.server, settings, now)
    return [
        family
        for part in parts
        for family in ledger.run(part.name, partial(part.families, view), now, partial(part.age, view))
    ]
