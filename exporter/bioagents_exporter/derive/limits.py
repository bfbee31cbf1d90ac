"""The limits that people set, as metrics, so that rules stay static."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import signals as m
from bioagents_exporter.derive.family import Family

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View


def families(view: View) -> Iterator[Family]:
    """Seven numbers for every known queue."""
    names = [queue.name for queue in view.snapshot.queues]
    keys = [(name,) for name in names]
    limits = [view.settings.limits.of(name) for name in names]
    yield Family(m.DEPTH_LIMIT, keys, [limit.depth for limit in limits])
    yield Family(m.WAIT_LIMIT, keys, [limit.wait_seconds for limit in limits])
    yield Family(m.DRAIN_LIMIT, keys, [limit.drain_seconds for limit in limits])
    yield Family(m.FAILURE_RATIO_LIMIT, keys, [limit.failure_ratio for limit in limits])
    yield Family(m.MIN_WORKERS, keys, [limit.min_workers for limit in limits])
    yield Family(m.MAX_WORKERS, keys, [limit.max_workers for limit in limits])
    yield Family(m.JOB_DURATION_LIMIT, keys, [limit.job_duration_seconds for limit in limits])
