"""The three alerts of the original design arrive at a webhook after their faults, and resolve after the mend.

Real Redis, real ``dramatiq`` workers with JobMetrics, two real exporters, the rules that ship with all their
durations divided by one factor, real Prometheus and Alertmanager.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from support.alert_stage import Stage
from support.monitoring import Webhook
from support.polling import wait_until
from support.redis_server import RedisServer

pytestmark = pytest.mark.end_to_end

FLOOD = 200  # jobs; the limit is 50, and eight slots fetch at most sixteen


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The whole chain, at rest."""
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
def told(stage: Stage, name: str, *, receiver: str, **labels: str) -> Iterator[None]:
    """The webhook is told of this alert and of its end; fault and mend are in the block."""
    assert name not in stage.prometheus.alert_states()
    before = len(stage.webhook.notices)
    yield
    stage.await_notice(name, "resolved")
    wait_until(lambda: name not in stage.prometheus.alert_states(), what="its end")
    notices = [notice for notice in stage.webhook.notices[before:] if notice.name == name]
    assert {notice.receiver for notice in notices} == {receiver}
    expected = {"alertname": name, "fleet": "dramatiq", "job": "bioagents", **labels}
    assert all(notice.labels == expected for notice in notices), notices
    # Two exporters report the same fault: one alert, which fires once and resolves once.
    changes = [notice.status for notice in notices]
    assert sorted(set(changes)) == ["firing", "resolved"]
    assert changes == sorted(changes)


def test_a_flood_of_jobs_is_a_ticket(stage: Stage) -> None:
    """HighQueueDepth, and its end once the queue has drained."""
    with (
        told(stage, "HighQueueDepth", receiver="ticket", severity="warning", queue="deep-research"),
        stage.fault("gate-closed"),
        stage.producer("flood", str(FLOOD)),
    ):
        stage.await_notice("HighQueueDepth", "firing")
        (notice, *_) = stage.webhook.find("HighQueueDepth", "firing")
        waiting = notice.annotations["description"].removeprefix('Queue "deep-research" has ').split()[0]
        assert FLOOD - 16 <= int(waiting) <= FLOOD


def test_a_failing_actor_is_a_ticket(stage: Stage) -> None:
    """HighJobFailureRate, though traffic goes on and half of the failures are of another exception."""
    with (
        told(stage, "HighJobFailureRate", receiver="ticket", severity="warning", queue="chat"),
        stage.producer("traffic"),
    ):
        with stage.fault("model-broken"):
            stage.await_notice("HighJobFailureRate", "firing")
        stage.await_notice("HighJobFailureRate", "resolved")


def test_the_loss_of_all_workers_is_a_page(stage: Stage) -> None:
    """NoActiveWorkers after kill -9, and its end once a worker is back."""
    with told(stage, "NoActiveWorkers", receiver="page", severity="critical"):
        stage.workers.kill()
        stage.await_notice("NoActiveWorkers", "firing")
        stage.start_workers()


def test_prometheus_had_nothing_to_complain_about(stage: Stage) -> None:
    """Every scrape of both exporters succeeded, and not a line of its log is a warning."""
    assert stage.prometheus.complaints() == []
    assert [target["lastError"] for target in stage.prometheus.targets()] == ["", ""]
    assert [value for _, value in stage.prometheus.query("min_over_time(up[1h])")] == [1, 1]
