"""The label values that the rules select are those that an exporter publishes, in each of its roles."""

from __future__ import annotations

from typing import Literal

import pytest

from bioagents_exporter.derive import Memory, derive
from bioagents_exporter.read.snapshot import Queue, Server, Snapshot
from bioagents_exporter.settings import Settings

SERVER = Server(
    run_id="r", version="7.0.15", software="redis", role="master", mode="standalone", time=1000.0,
    uptime=1.0, memory_used=1, memory_max=0, maxmemory_policy="noeviction", evicted_keys=0,
    connected_clients=1, aof=False, loading=False, replicas=0,
)  # fmt: skip
READ = Snapshot(
    SERVER, 0.001, queues=(Queue("chat", waiting=3, messages=3, delayed=0, dead=0, dead_expiring=0),)
)
UNREAD = Snapshot(None, 0.0, errors={"redis": 1}, failure="Redis is away")


def _published(snapshot: Snapshot, role: Literal["all", "host", "none"]) -> dict[tuple[str, ...], float]:
    """Metric and label values → value."""
    families = derive(snapshot, Memory(), Settings(collect_workers=role), now=1.0)
    return {
        (family.metric.name, *key): value
        for family in families
        for key, value in zip(family.keys, family.values, strict=True)
    }


@pytest.mark.parametrize("role", ["all", "none"])
def test_a_central_exporter_publishes_what_the_rules_select(role: Literal["all", "none"]) -> None:
    """Waiting jobs, their limit, workers, and the source that vouches for the workers."""
    published = _published(READ, role)
    assert published["queue_depth", "chat", "waiting"] == 3
    assert published["queue_depth_limit", "chat"] == 50
    assert published["queue_workers", "chat"] == 0
    assert published["exporter_source_success", "fleet"] == 1


def test_a_sidecar_says_nothing_of_the_fleet() -> None:
    """Else NoActiveWorkers would take the queues that it never publishes for an empty fleet."""
    names = _published(READ, "host")
    assert ("exporter_source_success", "fleet") not in names
    assert not [name for name in names if name[0] == "queue_workers"]


@pytest.mark.parametrize("role", ["all", "host", "none"])
def test_an_exporter_without_redis_vouches_for_nothing(role: Literal["all", "host", "none"]) -> None:
    """Redis away is another fault than a fleet without workers."""
    published = _published(UNREAD, role)
    assert published["redis_up",] == 0
    assert published.get(("exporter_source_success", "fleet"), 0) == 0
    assert not [name for name in published if name[0] == "queue_workers"]
