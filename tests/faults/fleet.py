"""One fleet with everything of its own: Redis, workers, exporter, producer."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis
from redis.sentinel import Sentinel as SentinelClient

from bioagents_worker.wire import Keys, missing_after
from faults.background import background
from faults.producer import Producer
from support.exporter import Exporter
from support.polling import wait_until
from support.programs import Program, start_workers
from support.redis_server import RedisServer, Sentinel

APP: Final = Path(__file__).parent / "app"


@dataclass(frozen=True, slots=True)
class Options:
    """How a fleet differs from the default."""

    limits: Mapping[str, object] = field(default_factory=dict)  # of all queues, in the exporter's file
    redis: Mapping[str, str] = field(default_factory=dict)  # directives of redis.conf
    workers: int = 1  # programs with one process each
    threads: int = 4
    exporters: int = 1
    replica: bool = False  # of Redis, read by an exporter of its own
    traffic: float = 2.0  # jobs a second that do nothing
    patience: float = 20.0  # seconds without a heartbeat after which a broker counts as dead
    env: Mapping[str, str] = field(default_factory=dict)  # of the workers


class Fleet:
    """Started by the constructor, which waits for its heartbeats; ``cleanup`` stops it."""

    def __init__(self, folder: Path, options: Options, factor: float, cleanup: ExitStack) -> None:
        self.folder, self.options, self.factor, self.cleanup = folder, options, factor, cleanup
        self._exporters = 0
        folder.mkdir()
        self.redis = self._start_redis("redis")
        self._start_more()
        self.workers = [self._start_worker() for _ in range(options.workers)]
        self.await_workers(options.workers)
        self.producer = Producer(**self._broker())
        cleanup.callback(self.producer.stop)
        self.exporters = [self.start_exporter() for _ in range(options.exporters)]
        if options.replica:
            self.replica = self._start_redis("replica", replicaof=f"127.0.0.1 {self.redis.port}")
            self.exporters.append(self.start_exporter(url=self.replica.url))

    # -- Redis ---------------------------------------------------------------------------------------------

    def _start_redis(self, name: str, **directives: str) -> RedisServer:
        options: Any = {**self.options.redis, **directives}
        server = RedisServer(self.folder / name, **options)
        self.cleanup.callback(server.kill)
        return server

    def _start_more(self) -> None:
        """Start further servers of Redis."""

    def _url(self) -> str:
        """The address of Redis for the exporter."""
        return self.redis.url

    def _broker(self) -> dict[str, Any]:
        """The address of Redis for a producer."""
        return {"url": self.redis.url}

    def _env(self) -> dict[str, str]:
        """The address of Redis for a worker."""
        return {"REDIS_URL": self.redis.url}

    def client(self) -> redis.Redis:
        """A client for commands of an operator."""
        return self.redis.client(socket_timeout=10)

    def command(self, *words: Any) -> Any:  # noqa: ANN401 - Redis' answers
        """One command of an operator."""
        with self.client() as client:
            return client.execute_command(*words)

    # -- workers -------------------------------------------------------------------------------------------

    def _start_worker(self, **env: str) -> Program:
        own = {
            "FAULTS": str(self.folder), "HEARTBEAT_TIMEOUT": str(round(self.options.patience * 1000)),
            # At every command, so that the jobs of dead workers are requeued as soon as possible.
            "MAINTENANCE": "1000000", "QUEUES": "chat deep-research",
        }  # fmt: skip
        env = {**own, **self._env(), **self.options.env, **env}
        worker = start_workers(
            "fleet_app", cwd=self.folder, path=APP, env=env,
            threads=int(env.get("THREADS", self.options.threads)),
            args=("--queues", *env["QUEUES"].split(), "--worker-shutdown-timeout", "600000"),
        )  # fmt: skip
        self.cleanup.callback(worker.kill)
        return worker

    def beats(self) -> set[bytes]:
        """The ids of the workers with a heartbeat in Redis."""
        with self.client() as client:
            return set(client.hkeys(Keys("dramatiq").beats))

    def await_workers(self, number: int) -> None:
        """Wait for the heartbeats of so many workers."""
        wait_until(lambda: len(self.beats()) >= number, timeout=90, what=f"{number} workers in {self.folder}")

    def add_worker(self, **env: str) -> Program:
        """Start one more worker and wait for its heartbeat."""
        before = self.beats()
        self.workers.append(self._start_worker(**env))
        wait_until(lambda: self.beats() - before, timeout=90, what=f"a new worker in {self.folder}")
        return self.workers[-1]

    def replace_worker(self, worker: Program, **env: str) -> None:
        """Start another worker, then stop this one: SIGTERM, SIGKILL after a while."""
        self.add_worker(**env)
        self.workers.remove(worker)
        worker.stop()

    def replace_at_once(self, worker: Program) -> None:
        """The same without a drain, whose seconds would be an hour of the scaled rules."""
        before = self.beats()
        self.add_worker()
        self.workers.remove(worker)
        worker.kill()
        with self.client() as client:
            client.hdel(Keys("dramatiq").beats, *before)

    def forget_missing(self) -> None:
        """Delete the heartbeats of missing workers, as after an hour, which is not scaled."""
        beats = Keys("dramatiq").beats
        with self.client() as client:
            for worker, beat in client.hgetall(beats).items():
                if int(beat.partition(b"\n")[0]) / 1e6 < time.time() - missing_after(5.0):
                    client.hdel(beats, worker)

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Start a worker again when it has ended, as systemd or Kubernetes do."""

        def supervise(ended: threading.Event) -> None:
            while not ended.wait(0.2):
                for index, worker in enumerate(self.workers):
                    if not worker.running:
                        worker.kill()
                        self.workers[index] = self._start_worker()

        with background(supervise):
            yield

    # -- the rest ------------------------------------------------------------------------------------------

    def start_exporter(self, *, listen: str = "127.0.0.1:0", url: str = "") -> Exporter:
        """Start an exporter with the limits of this fleet."""
        self._exporters += 1
        config = self.folder / "exporter.yml"
        config.write_text(json.dumps({"limits": {"defaults": dict(self.options.limits)}}))
        exporter = Exporter(
            self.folder, "--redis.url", url or self._url(), "--config.file", str(config),
            "--redis.heartbeat-timeout", f"{self.options.patience:g}s",
            listen=listen, name=f"exporter{self._exporters}",
        )  # fmt: skip
        self.cleanup.callback(exporter.kill)
        return exporter

    @contextmanager
    def switch(self, name: str) -> Iterator[None]:
        """A fault of the application, switched on for the block."""
        file = self.folder / name
        file.touch()
        try:
            yield
        finally:
            file.unlink()


class SentinelFleet(Fleet):
    """A primary, a replica, and a Sentinel that all clients ask for the primary."""

    def _start_more(self) -> None:
        self.replica = self._start_redis("replica", replicaof=f"127.0.0.1 {self.redis.port}")
        self.sentinel = Sentinel(self.folder / "sentinel", self.redis.port)
        self.cleanup.callback(self.sentinel.kill)
        wait_until(self.sentinel.knows_replica, timeout=60, what="a Sentinel that knows the replica")

    def _url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/{self.sentinel.primary}"

    def _broker(self) -> dict[str, Any]:
        sentinel: Any = SentinelClient([("127.0.0.1", self.sentinel.port)], socket_timeout=1)  # type: ignore[no-untyped-call]
        return {"client": sentinel.master_for(self.sentinel.primary)}

    def _env(self) -> dict[str, str]:
        return {"SENTINEL": str(self.sentinel.port)}

    def fail_over(self) -> None:
        """Kill -9 of the primary; the replica takes over, and the old primary returns as its replica."""
        self.redis.kill()
        wait_until(
            lambda: self.sentinel.primary_port() == self.replica.port, timeout=60, what="a new primary"
        )
        self.redis, self.replica = self.replica, self.redis
        self.replica.options["replicaof"] = f"127.0.0.1 {self.redis.port}"
        self.replica.start()


def signal_group(program: Program, signum: int) -> None:
    """Send a signal to a program and its children."""
    os.killpg(program.pid, signum)
