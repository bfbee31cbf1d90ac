"""What people of a fleet consider too much, per queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """The limits of one queue; published as metrics, so that rules stay static."""

    depth: int = 50  # waiting jobs
    wait_seconds: float = 300.0  # age of the oldest waiting job
    drain_seconds: float = 600.0  # until the backlog is gone
    failure_ratio: float = 0.1  # of all attempts, 0 to 1
    min_workers: int = 1
    max_workers: int = 8
    job_duration_seconds: float = 28800.0  # of one attempt


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of all queues: defaults, and whole sets for queues that differ."""

    defaults: QueueLimits = QueueLimits()
    queues: Mapping[str, QueueLimits] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, queue: str) -> QueueLimits:
        """The limits of one queue."""
        return self.queues.get(queue, self.defaults)
