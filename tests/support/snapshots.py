"""Snapshots that are written in code, without a Redis, and the golden exposition of one of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bioagents_exporter.derive import Family, Memory, derive, sample
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot, Store, Totals, Worker
from bioagents_exporter.render import Renderer
from bioagents_exporter.settings import Limits, QueueLimits, Settings
from bioagents_worker.wire import BUCKETS, COUNTERS, Identity, RunningJob, State

#: The exposition of the reference fleet; ``PYTHONPATH=tests python -m support.snapshots`` writes it.
GOLDEN: Final = Path(__file__).parents[1] / "render" / "golden.prom"

NOW = 1_764_000_000.0  # unix seconds by the server's clock
RUN_ID = "5d41402abc4b2a76b9719d911017c592a1b2c3d4"

SERVER = Server(
    run_id=RUN_ID,
    version="7.0.15",
    software="redis",
    role="master",
    mode="standalone",
    time=NOW,
    memory_used=1_500_000,
    memory_max=0,
    maxmemory_policy="noeviction",
    evicted_keys=0,
    aof=True,
    loading=False,
)

Series = dict[tuple[str, ...], float]


def queue(name: str, *, waiting: int | None = 0, **other: object) -> Queue:
    """A queue with the given number of waiting jobs, and nothing else."""
    known: Any = {"messages": waiting, "delayed": 0, "dead": 0, "dead_expiring": 0} | other
    return Queue(name, waiting=waiting, **known)


def worker(
    name: str,
    *,
    age: float = 1.0,
    host: str = "worker-1",
    queues: tuple[str, ...] = ("chat",),
    **state: object,
) -> Worker:
    """A worker with four threads whose last heartbeat is ``age`` seconds old."""
    known: Any = {"threads": 4, "consumers": 2} | state
    identity = Identity(
        host, 4711, f"broker-{name}", queues, 4, NOW - 3600.5, "2.2.1", "3.11.7", "0.1.0", "v42"
    )
    return Worker(name, NOW - age, identity, State(**known))


def totals(name: str, fields: dict[str, int], *, epoch: int = 1_000, wire: int = 1) -> Totals:
    """A totals hash."""
    return Totals(name, wire, epoch, fields)


def snapshot(**parts: object) -> Snapshot:
    """A good read with these parts."""
    known: Any = {"stores": (Store(1, 1_000, RUN_ID),)} | parts
    return Snapshot(known.pop("server", SERVER), 0.0005, **known)


def published(
    read: Snapshot, *, memory: Memory | None = None, settings: Settings | None = None, now: float = 1_000.0
) -> dict[str, Series]:
    """What a scrape publishes: metric → key → value; of a histogram the count is the value."""
    found: dict[str, Series] = {}
    for family in derive(read, memory or Memory(), settings or Settings(), now):
        assert family.metric.name not in found, "a metric comes once"
        per_key = len(family.values) // len(family.keys) if family.keys else 1
        values = family.values[per_key - 1 :: per_key]
        found[family.metric.name] = dict(zip(family.keys, values, strict=True))
        assert len(found[family.metric.name]) == len(family.keys), "a key comes once"
    return found


def reference_fleet() -> Snapshot:
    """The reference deployment at a busy moment, with something for every metric to show."""
    return snapshot(
        server=replace(SERVER, role="slave", link_up=True, lag=1.0, memory_max=2_000_000_000, evicted_keys=3,
                       refused_writes={"OOM": 5, "MISCONF": 0, "NOREPLICAS": 0}),
        queues=(
            queue("chat", waiting=12, messages=16, delayed=3, dead=2, dead_expiring=1,
                  dead_oldest=NOW - 590_000, head_ready=NOW - 4.25, head_delayed=True),
            queue("deep-research", messages=1),
        ),
        workers=(
            worker("a" * 32, rss=180_000_000, limit=2_000_000_000, cpu=12.34, jobs=900, running={"chat": 2},
                   held={"chat": 4}, oldest=(RunningJob("chat", "answer", 2.5, "m-2"),), skew=-0.012,
                   flush_age=0.1),
            worker("b" * 32, age=2.0, host="worker-2", queues=("deep-research",), draining=True,
                   rss=310_000_000, limit=2_000_000_000, cpu=88.0, jobs=3, running={"deep-research": 1},
                   held={"deep-research": 1},
                   oldest=(RunningJob("deep-research", "research", 7_200.0, "m-3"),)),
            worker("c" * 32, age=600.0, host="worker-2"),
        ),
        totals=(
            totals("", {"boots|worker-1": 2, "boots|worker-2": 5, "dropped|": 1}),
            totals("chat", _job_fields("answer")
                   | {"failures|answer|TimeoutError": 4, "failures|answer|(other)": 1}),
            totals("deep-research", {"processed|research": 0}),
            totals("chat", {"processed|answer": 7, "succeeded|answer": 7}, epoch=900, wire=0),
        ),
        stores=(Store(1, 1_000, "run id of the primary"), Store(0, 900, "run id of the primary")),
        audits={"chat": QueueAudit(1, 0, 2, 0, {"waiting": 9_000, "delayed": 2_000, "dead": 0}, NOW - 8.0,
                                   NOW - 4.0),
                "deep-research": QueueAudit(0, 0, 0, 1, {}, NOW - 3.0)},
        unread={("deep-research", "pickle"): 1},
        errors={"bad_heartbeat": 1},
    )  # fmt: skip


def reference_settings() -> Settings:
    """Settings in which the two queues differ."""
    deep = QueueLimits(depth=10, wait_seconds=1800.0, max_workers=4, job_duration_seconds=28_800.0)
    return Settings(limits=Limits(queues={"deep-research": deep}), host="worker-1")


def _job_fields(actor: str) -> dict[str, int]:
    """Every counter and every bucket of an actor, each with a number of its own."""
    fields = {f"{counter}|{actor}": 100 + i for i, counter in enumerate(COUNTERS)}
    for i in range(len(BUCKETS) + 1):
        fields |= {f"duration|{actor}|{i}": i, f"wait|{actor}|{i}": 2 * i}
    return fields | {f"duration_us|{actor}": 123_456_789, f"wait_us|{actor}": 2_000_000}


def reference_families() -> list[Family]:
    """A minute of the reference fleet, then a scrape: every metric has a series."""
    ticks = itertools.count()
    memory = Memory(clock=lambda: next(ticks) / 1_024)
    read, settings = reference_fleet(), reference_settings()
    for now in range(0, 65, 5):
        sample(_later(read, now), memory, settings, now)
    memory.scraped(0.0125)
    return derive(_later(read, 60), memory, settings, 61.5)


def golden_text() -> bytes:
    """The exposition without the series of this process and this version."""
    families = [family for family in reference_families() if _stays(family)]
    return Renderer(prefix="bioagents_", fleet="reference").render(families)


def _stays(family: Family) -> bool:
    return family.metric.prefixed and family.metric.name != "exporter_build_info"


def _later(read: Snapshot, seconds: int) -> Snapshot:
    """The same fleet with attempts finished since."""
    fields = [dict(found.fields) for found in read.totals]
    fields[1]["processed|answer"] += seconds
    hashes = tuple(replace(found, fields=new) for found, new in zip(read.totals, fields, strict=True))
    return replace(read, totals=hashes)


if __name__ == "__main__":
    GOLDEN.write_bytes(golden_text())
