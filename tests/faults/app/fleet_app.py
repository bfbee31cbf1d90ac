"""What ``dramatiq fleet_app`` runs: all actors, at a broker that the environment describes.

REDIS_URL, or SENTINEL (its port); FAULTS, the folder of the switches; HEARTBEAT_TIMEOUT in milliseconds,
after which Dramatiq requeues the jobs of a worker, and MAINTENANCE, how many commands of a million make it
look for them; MEMORY_LIMIT in bytes, as a container has it; VERSION; QUEUES, the consumed ones;
CLOCK_AHEAD, by so many seconds.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

# Before other modules import the functions: the clock of another host.
if "CLOCK_AHEAD" in os.environ:
    _time, _time_ns, _ahead = time.time, time.time_ns, int(os.environ["CLOCK_AHEAD"])
    time.time = lambda: _time() + _ahead
    time.time_ns = lambda: _time_ns() + _ahead * 10**9

import dramatiq
from actors import declare, declare_reports, on
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware

from bioagents_worker import JobMetrics
from bioagents_worker import _resources as resources


def broker_of(environment: dict[str, str]) -> RedisBroker:
    """Of a single Redis, or of the primary that a Sentinel knows."""
    patience = {
        "heartbeat_timeout": int(environment["HEARTBEAT_TIMEOUT"]),
        "maintenance_chance": int(environment["MAINTENANCE"]),
    }
    if "SENTINEL" in environment:
        from redis.sentinel import Sentinel  # noqa: PLC0415 - of one fleet alone

        sentinel = Sentinel([("127.0.0.1", int(environment["SENTINEL"]))], socket_timeout=1)
        return RedisBroker(client=sentinel.master_for("fleet"), **patience)  # type: ignore[no-untyped-call]
    return RedisBroker(url=environment["REDIS_URL"], **patience)  # type: ignore[no-untyped-call]


class Pause(Middleware):
    """Stops fetching while the switch ``paused`` is on, by Dramatiq's own means; the threads live on."""

    def after_worker_boot(self, broker: Any, worker: Any) -> None:  # noqa: ANN401, ARG002 - Dramatiq's signature
        threading.Thread(target=self._watch, args=(worker,), daemon=True).start()

    def _watch(self, worker: Any) -> None:  # noqa: ANN401 - untyped in dramatiq
        paused = False
        while True:
            time.sleep(0.1)
            if on("paused") != paused:
                paused = not paused
                (worker.pause if paused else worker.resume)()


def limited(_proc: Path, _cgroups: Path) -> int:
    """The memory limit of a container, which a test cannot have everywhere."""
    return int(os.environ["MEMORY_LIMIT"])


if "MEMORY_LIMIT" in os.environ:
    resources.memory_limit = limited
broker = broker_of(dict(os.environ))
broker.add_middleware(JobMetrics(version=os.environ.get("VERSION", "1.0")))
broker.add_middleware(Pause())
declare(broker)
if "reports" in os.environ["QUEUES"]:
    declare_reports(broker)
dramatiq.set_broker(broker)
