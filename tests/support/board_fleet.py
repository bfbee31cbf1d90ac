"""The fleet that the boards are tried on: small, real, with something of everything that a board can show."""

from __future__ import annotations

import pickle
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bioagents_worker.wire import Keys
from support.exporter import Exporter
from support.polling import wait_until
from support.programs import Program, start_workers
from support.redis_server import RedisServer

#: Jobs of deep-research that the producer sends at first.
BACKLOG: Final = 300
APP: Final = Path(__file__).parents[1] / "dashboards" / "app"

#: The fleet, and the same fleet again as an exporter sees it that reads a replica of its Redis.
FLEET, STANDBY = "dramatiq", "standby"
COPIES: Final = 3

#: Limits that this fleet reaches within a minute, and dead letters that all expire within a day. The backlog
#: takes some 100 to 180 s, well between half of its limit and five times that, on a busy machine too.
_CONFIG: Final = "limits: {defaults: {wait: 5s, job-duration: 60s, drain: 80s}}\n"
_DEAD_MESSAGE_TTL: Final = "1h"
#: Seconds of silence after which Dramatiq takes a worker for dead; more than JobMetrics' 15.
_PATIENCE: Final = 18
_MIB: Final = 1 << 20


class BoardFleet:
    """Starts at once: Redis and a replica, workers of three queues, a producer, four exporters."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        self.folder, self._cleanup = folder, cleanup
        self.redis = RedisServer(folder / "redis", maxmemory="64mb")
        cleanup.callback(self.redis.kill)
        replica = RedisServer(folder / "replica", replicaof=f"127.0.0.1 {self.redis.port}")
        cleanup.callback(replica.kill)
        self.chat = self._worker("chat", processes=2)
        self.research = self._worker("deep-research", MEMORY_LIMIT=str(64 * _MIB))
        # Commands of these look for no jobs of the dead, so that what one of them leaves stays orphaned.
        self.killed, self.draining = (self._worker("reports", threads=2, MAINTENANCE="0") for _ in range(2))
        self._await_workers(5)
        self.producer = Program(
            [sys.executable, str(APP / "produce.py"), str(BACKLOG)],
            cwd=folder, name="producer", env=self._env(),
        )  # fmt: skip
        cleanup.callback(self.producer.kill)
        # A backlog that was there before an exporter: only so it can shrink by what the exporter has seen.
        with self.redis.client() as client:
            wait_until(
                lambda: client.llen("dramatiq:deep-research") > BACKLOG / 2, timeout=60, what="a backlog"
            )
            wait_until(lambda: client.keys("dramatiq:__acks__.*.deep-research"), what="jobs of deep-research")
        # Only now: a job that makes long jobs usual would die with this worker, and run again after the load.
        self.doomed = self._worker("deep-research", threads=2)
        self._await_workers(6)
        (folder / "exporter.yml").write_text(_CONFIG)
        self.exporters = [self._exporter(f"exporter-{i}", self.redis, FLEET) for i in range(COPIES)]
        self.standby = self._exporter("standby", replica, STANDBY)

    def lose_workers(self) -> None:
        """Kill -9 for one worker that others can replace, and for one whose jobs no worker takes over."""
        self.doomed.kill()
        self.killed.kill()

    def deploy(self) -> None:
        """A new version starts, an old worker gets SIGTERM and finishes what it has."""
        self._worker("chat", threads=2, VERSION="1.1")
        self.draining.signal(signal.SIGTERM)

    def spoil_redis(self) -> None:
        """Memory more than half full; a lost job, a stuck one, one in pickle; a total that is no number."""
        with self.redis.client(decode_responses=True) as client:
            for piece in range(40):
                client.set(f"filler-{piece}", "x" * _MIB)
            # Its message stays, its id is in no list: no worker will ever run it.
            client.hset("dramatiq:archive.msgs", "lost", "{}")
            # A delayed job of an application with another encoder than JSON.
            client.hset("dramatiq:archive.DQ.msgs", "pickled", pickle.dumps({}))
            client.rpush("dramatiq:archive.DQ", "pickled")
            # Assigned to a worker that lost it.
            held = wait_until(lambda: client.keys("dramatiq:__acks__.*.chat"), what="jobs of chat")
            client.hset("dramatiq:chat.msgs", "stuck", "{}")
            client.sadd(held[0], "stuck")
            client.hset(Keys("dramatiq").totals("archive"), "nonsense", "no number")

    def come_to_rest(self) -> None:
        """Nothing is enqueued any more, a backlog waits behind jobs that never end."""
        self.producer.stop()

    def _exporter(self, name: str, redis: RedisServer, fleet: str) -> Exporter:
        exporter = Exporter(
            self.folder, "--redis.url", redis.url, "--fleet", fleet, "--config.file", "exporter.yml",
            "--redis.dead-message-ttl", _DEAD_MESSAGE_TTL, "--redis.heartbeat-timeout", f"{_PATIENCE}s",
            name=name,
        )  # fmt: skip
        self._cleanup.callback(exporter.kill)
        return exporter

    def _worker(self, queue: str, *, processes: int = 1, threads: int = 4, **env: str) -> Program:
        worker = start_workers(
            "fleet_app", cwd=self.folder, path=APP, processes=processes, threads=threads,
            env={**self._env(), **env}, args=("--queues", queue), name=f"workers-of-{queue}",
        )  # fmt: skip
        self._cleanup.callback(worker.kill)
        return worker

    def _env(self) -> dict[str, str]:
        return {
            "REDIS_URL": self.redis.url, "VERSION": "1.0", "MAINTENANCE": "1000000",
            "HEARTBEAT_TIMEOUT": str(_PATIENCE * 1000),
        }  # fmt: skip

    def _await_workers(self, number: int) -> None:
        with self.redis.client() as client:
            beats = Keys("dramatiq").beats
            wait_until(lambda: client.hlen(beats) >= number, timeout=60, what=f"{number} workers")
