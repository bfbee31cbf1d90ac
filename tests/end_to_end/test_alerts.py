"""The three alerts of the original design reach a webhook after their faults and resolve after the repair.

Real Redis, real ``dramatiq`` workers with JobMetrics, two real exporters, the shipped rules with all
durations divided by one factor, real Prometheus and Alertmanager.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bioagents_alerts import write_alertmanager, write_prometheus, write_rules
from bioagents_worker.wire import Keys
from support.exporter import Exporter
from support.monitoring import Alertmanager, Prometheus, Webhook
from support.polling import wait_until
from support.programs import Program, start_workers
from support.redis_server import RedisServer

pytestmark = pytest.mark.end_to_end

APP = Path(__file__).parent / "app"
FACTOR = 60  # divides all durations: ten minutes become ten seconds
COMMON = {"product", "board"}  # labels of every alert
FLOOD = 200  # jobs; the limit is 50, and eight slots fetch at most sixteen


@dataclass
class Stage:
    """Workers, exporters, Prometheus and Alertmanager around one Redis; ``cleanup`` stops them."""

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
        """Start one process with eight threads and wait for its first heartbeat."""
        with self.redis.client() as client:
            beats = Keys("dramatiq").beats
            known = set(client.hkeys(beats))
            self.workers = start_workers("alerts_app", cwd=self.folder, path=APP, threads=8, env=self._env)
            self.cleanup.callback(self.workers.kill)
            wait_until(lambda: set(client.hkeys(beats)) - known, what="the first heartbeat of a worker")

    def start_monitoring(self) -> None:
        """Start two exporters, Alertmanager, and Prometheus with the shipped rules, scaled."""
        exporters = [self._start_exporter(name) for name in ("exporter-1", "exporter-2")]
        routes = write_alertmanager(self.folder, self.webhook.url, factor=FACTOR)
        alertmanager = Alertmanager(self.folder, routes)
        self.cleanup.callback(alertmanager.stop)
        rules = write_rules(self.folder / "rules", factor=FACTOR)
        config = write_prometheus(self.folder, exporters, rules, [alertmanager.address], scrape_interval=1.0)
        self.prometheus = Prometheus(self.folder, config)
        self.cleanup.callback(self.prometheus.stop)
        wait_until(lambda: len(self.prometheus.query("up == 1")) == len(exporters), what="first scrapes")

    def _start_exporter(self, name: str) -> str:
        exporter = Exporter(self.folder, "--redis.url", self.redis.url, name=name)
        self.cleanup.callback(exporter.stop)
        return f"127.0.0.1:{exporter.port}"

    @contextmanager
    def producer(self, *args: str) -> Iterator[Program]:
        """``alerts_app.py`` as a producer with these arguments, stopped at the end of the block."""
        command = [sys.executable, str(APP / "alerts_app.py"), *args]
        program = Program(command, cwd=self.folder, name="producer", env=self._env)
        try:
            yield program
        finally:
            program.stop()

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """A fault of the application, switched on for the block."""
        switch = self.folder / name
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()

    def await_notice(self, name: str, status: str) -> None:
        """Wait until the webhook has received the alert with this status."""
        wait_until(lambda: self.webhook.find(name, status), timeout=60, what=f"{name} {status}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The whole chain, without any alert."""
    folder = tmp_path_factory.mktemp("alerts")
    with ExitStack() as cleanup:
        redis = RedisServer(folder / "redis")
        cleanup.callback(redis.kill)
        webhook = Webhook()
        cleanup.callback(webhook.stop)
        running = Stage(folder, redis, webhook, cleanup)
        running.start_workers()
        running.start_monitoring()
        yield running


@contextmanager
def notified(stage: Stage, name: str, *, receiver: str, **labels: str) -> Iterator[None]:
    """The block causes and repairs a fault; the webhook receives this alert, once firing, once resolved."""
    assert name not in stage.prometheus.alert_states()
    before = len(stage.webhook.notices)
    yield
    stage.await_notice(name, "resolved")
    wait_until(lambda: name not in stage.prometheus.alert_states(), what="its end")
    notices = [notice for notice in stage.webhook.notices[before:] if notice.name == name]
    assert {notice.receiver for notice in notices} == {receiver}
    expected = {"alertname": name, "fleet": "dramatiq", "job": "bioagents", **labels}
    for notice in notices:
        labels = {label: text for label, text in notice.labels.items() if label not in COMMON}
        assert labels == expected
    # Two exporters report the same fault: one alert, which fires once and resolves once.
    changes = [notice.status for notice in notices]
    assert sorted(set(changes)) == ["firing", "resolved"]
    assert changes == sorted(changes)


def test_a_flood_of_jobs_is_a_ticket(stage: Stage) -> None:
    """HighQueueDepth fires with the number of waiting jobs, and resolves once the queue has drained."""
    with (
        notified(stage, "HighQueueDepth", receiver="ticket", severity="warning", queue="deep-research"),
        stage.fault("gate-closed"),
        stage.producer("flood", str(FLOOD)),
    ):
        stage.await_notice("HighQueueDepth", "firing")
        (notice, *_) = stage.webhook.find("HighQueueDepth", "firing")
        waiting = notice.annotations["description"].removeprefix('Queue "deep-research" has ').split()[0]
        assert FLOOD - 16 <= int(waiting) <= FLOOD


def test_a_failing_actor_is_a_ticket(stage: Stage) -> None:
    """HighJobFailureRate fires while traffic goes on, though two exceptions share the failures."""
    with (
        notified(stage, "HighJobFailureRate", receiver="ticket", severity="warning", queue="chat"),
        stage.producer("traffic"),
    ):
        with stage.fault("model-broken"):
            stage.await_notice("HighJobFailureRate", "firing")
        stage.await_notice("HighJobFailureRate", "resolved")


def test_the_loss_of_all_workers_is_a_page(stage: Stage) -> None:
    """NoActiveWorkers fires after kill -9 of the only worker, and resolves when another one has started."""
    with notified(stage, "NoActiveWorkers", receiver="page", severity="critical"):
        stage.workers.kill()
        stage.await_notice("NoActiveWorkers", "firing")
        stage.start_workers()


def test_prometheus_reported_no_problem(stage: Stage) -> None:
    """Every scrape of both exporters succeeded, and no line of Prometheus' log is a warning."""
    assert stage.prometheus.complaints() == []
    assert [target["lastError"] for target in stage.prometheus.targets()] == ["", ""]
    assert [value for _, value in stage.prometheus.query("min_over_time(up[1h])")] == [1, 1]
