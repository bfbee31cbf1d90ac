"""The three alerts of the original design reach a webhook after their faults and resolve after the repair.

Real Redis, real ``dramatiq`` workers with JobMetrics, two real exporters, the shipped rules with all
durations divided by one factor, and two chains of Prometheus, Alertmanager and a webhook at the same time:
the servers of Debian's stable release and newer ones.
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
from support.programs import RELEASES, Program, Release, start_workers
from support.redis_server import RedisServer

pytestmark = pytest.mark.end_to_end

APP = Path(__file__).parent / "app"
FACTOR = 60  # divides all durations: ten minutes become ten seconds
COMMON = {"product", "board"}  # labels of every alert
FLOOD = 200  # jobs; the limit is 50, and eight slots fetch at most sixteen


@dataclass(frozen=True)
class Chain:
    """One Prometheus, and the webhook behind its Alertmanager."""

    prometheus: Prometheus
    webhook: Webhook

    def await_notice(self, name: str, status: str) -> None:
        """Wait until the webhook has received the alert with this status."""
        wait_until(lambda: self.webhook.find(name, status), timeout=60, what=f"{name} {status}")


@dataclass
class Stage:
    """Workers, exporters and monitoring around one Redis; ``cleanup`` stops them."""

    folder: Path
    redis: RedisServer
    cleanup: ExitStack
    workers: Program = field(init=False)
    chains: list[Chain] = field(init=False)

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
        """Start two exporters, and each chain with the shipped rules, scaled."""
        exporters = [self._start_exporter(name) for name in ("exporter-1", "exporter-2")]
        self.chains = [self._start_chain(release, exporters) for release in RELEASES]
        for chain in self.chains:
            up = chain.prometheus.query
            wait_until(lambda up=up: len(up("up == 1")) == len(exporters), what="first scrapes")  # type: ignore[misc]

    def _start_chain(self, release: Release, exporters: list[str]) -> Chain:
        folder, webhook = self.folder / release, Webhook()
        self.cleanup.callback(webhook.stop)
        routes = write_alertmanager(folder, webhook.url, factor=FACTOR)
        alertmanager = Alertmanager(folder, routes, release=release)
        self.cleanup.callback(alertmanager.stop)
        rules = write_rules(folder / "rules", factor=FACTOR)
        config = write_prometheus(folder, exporters, rules, [alertmanager.address], scrape_interval=1.0)
        prometheus = Prometheus(folder, config, release=release)
        self.cleanup.callback(prometheus.stop)
        return Chain(prometheus, webhook)

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
        """Wait until each webhook has received the alert with this status."""
        for chain in self.chains:
            chain.await_notice(name, status)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The whole chain, without any alert."""
    folder = tmp_path_factory.mktemp("alerts")
    with ExitStack() as cleanup:
        redis = RedisServer(folder / "redis")
        cleanup.callback(redis.kill)
        running = Stage(folder, redis, cleanup)
        running.start_workers()
        running.start_monitoring()
        yield running


@contextmanager
def notified(stage: Stage, name: str, *, receiver: str, **labels: str) -> Iterator[None]:
    """The block causes and repairs a fault; each webhook receives this alert, once firing, once resolved."""
    before = [len(chain.webhook.notices) for chain in stage.chains]
    for chain in stage.chains:
        assert name not in chain.prometheus.alert_states()
    yield
    stage.await_notice(name, "resolved")
    expected = {"alertname": name, "fleet": "dramatiq", "job": "bioagents", **labels}
    for chain, known in zip(stage.chains, before, strict=True):
        _check_notices(chain, name, known, receiver, expected)


def _check_notices(chain: Chain, name: str, known: int, receiver: str, expected: dict[str, str]) -> None:
    wait_until(lambda: name not in chain.prometheus.alert_states(), what="its end")
    notices = [notice for notice in chain.webhook.notices[known:] if notice.name == name]
    assert {notice.receiver for notice in notices} == {receiver}
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
        for chain in stage.chains:
            (notice, *_) = chain.webhook.find("HighQueueDepth", "firing")
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
    for chain in stage.chains:
        assert chain.prometheus.complaints() == []
        assert [target["lastError"] for target in chain.prometheus.targets()] == ["", ""]
        assert [value for _, value in chain.prometheus.query("min_over_time(up[1h])")] == [1, 1]
