"""A fleet with everything that watches it, and the switches that break it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bioagents_alerts import write_alertmanager, write_prometheus, write_rules
from bioagents_worker.wire import Keys
from support.fleet import start_workers
from support.monitoring import Alertmanager, Prometheus, Webhook, answers
from support.polling import free_port, wait_until
from support.programs import Program
from support.redis_server import RedisServer

APP = Path(__file__).parents[1] / "end_to_end" / "app"
FACTOR = 60  # of all durations: ten minutes are ten seconds


@dataclass
class Stage:
    """Real workers, exporters, Prometheus and Alertmanager around one Redis; stopped by ``cleanup``."""

    folder: Path
    redis: RedisServer
    webhook: Webhook
    cleanup: ExitStack
    workers: Program = field(init=False)
    prometheus: Prometheus = field(init=False)

    @property
    def _env(self) -> dict[str, str]:
        return {"REDIS_URL": self.redis.url, "FAULTS": str(self.folder)}

    def start_workers(self) -> None:
        """One process with eight threads, up when Redis has its heartbeat."""
        with self.redis.client() as client:
            beats = Keys("dramatiq").beats
            known = set(client.hkeys(beats))
            self.workers = start_workers("alerts_app", cwd=self.folder, path=APP, threads=8, env=self._env)
            self.cleanup.callback(self.workers.kill)
            wait_until(lambda: set(client.hkeys(beats)) - known, what="the first heartbeat of a worker")

    def start_monitoring(self) -> None:
        """Two exporters, Alertmanager, and Prometheus with the rules that ship, scaled."""
        exporters = [self._start_exporter(), self._start_exporter()]
        routes = write_alertmanager(self.folder, self.webhook.url, factor=FACTOR)
        alertmanager = Alertmanager(self.folder, routes)
        self.cleanup.callback(alertmanager.stop)
        rules = write_rules(self.folder / "rules", factor=FACTOR)
        config = write_prometheus(self.folder, exporters, rules, [alertmanager.address], scrape_interval=1.0)
        self.prometheus = Prometheus(self.folder, config)
        self.cleanup.callback(self.prometheus.stop)
        wait_until(lambda: len(self.prometheus.query("up == 1")) == len(exporters), what="first scrapes")

    def _start_exporter(self) -> str:
        """``bioagents exporter`` on a free port; its address."""
        address = f"127.0.0.1:{free_port()}"
        flags = ["--redis.url", self.redis.url, "--web.listen-address", address]
        command = [sys.executable, "-m", "bioagents_cli", "exporter", *flags]
        exporter = Program(command, cwd=self.folder, name=f"exporter-{address}")
        self.cleanup.callback(exporter.stop)

        def ready() -> bool:
            assert exporter.running, exporter.output()
            return answers(f"http://{address}/-/ready")

        wait_until(ready, what=f"the exporter, see {exporter.log}")
        return address

    @contextmanager
    def producer(self, *args: str) -> Iterator[Program]:
        """``produce.py`` with these arguments, stopped at the end of the block."""
        program = Program(
            [sys.executable, str(APP / "produce.py"), *args], cwd=self.folder, name="producer", env=self._env
        )
        try:
            yield program
        finally:
            program.stop()

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """A switch of the application that is on for the length of the block."""
        switch = self.folder / name
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()

    def await_notice(self, name: str, status: str) -> None:
        """Wait until the webhook was told."""
        wait_until(lambda: self.webhook.find(name, status), timeout=60, what=f"{name} {status}")
