"""Workers of the boards' fleet.

REDIS_URL; VERSION of the application; MAINTENANCE, how many commands of a million look for jobs of the dead;
HEARTBEAT_TIMEOUT in milliseconds, after which a silent worker is dead; MEMORY_LIMIT in bytes, as a container
has it.
"""

from __future__ import annotations

import os
from pathlib import Path

import dramatiq
from actors import actors_of
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

from bioagents_worker import JobMetrics
from bioagents_worker import _resources as resources


def limited(_proc: Path, _cgroups: Path) -> int:
    """The memory limit of a container, which a test cannot have everywhere."""
    return int(os.environ["MEMORY_LIMIT"])


if "MEMORY_LIMIT" in os.environ:
    resources.memory_limit = limited
broker = RedisBroker(  # type: ignore[no-untyped-call]
    url=os.environ["REDIS_URL"],
    heartbeat_timeout=int(os.environ["HEARTBEAT_TIMEOUT"]),
    maintenance_chance=int(os.environ["MAINTENANCE"]),
)
broker.add_middleware(JobMetrics(version=os.environ["VERSION"]))
broker.add_middleware(CurrentMessage())
actors_of(broker)
dramatiq.set_broker(broker)
