"""Prometheus, Alertmanager and the webhook alone, on a static exposition; no exporter, no fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bioagents_alerts import write_alertmanager, write_prometheus, write_rules
from support.monitoring import Alertmanager, Prometheus, StaticExposition, Webhook
from support.polling import wait_until

BROKEN_AND_FIXED = (
    'bioagents_queue_workers{fleet="prod",queue="chat"} 0\n',
    'bioagents_queue_workers{fleet="prod",queue="chat"} 1\n',
)


@dataclass(frozen=True)
class Chain:
    """What is under test."""

    exposition: StaticExposition
    prometheus: Prometheus
    webhook: Webhook


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    """Exposition → Prometheus → Alertmanager → webhook; all durations divided by 120."""
    with ExitStack() as cleanup:
        exposition, webhook = StaticExposition(BROKEN_AND_FIXED[0]), Webhook()
        cleanup.callback(exposition.stop)
        cleanup.callback(webhook.stop)
        alertmanager = Alertmanager(tmp_path, write_alertmanager(tmp_path, webhook.url, factor=120))
        cleanup.callback(alertmanager.stop)
        rules = write_rules(tmp_path / "rules", factor=120)
        config = write_prometheus(
            tmp_path, [exposition.address], rules, [alertmanager.address], scrape_interval=0.5
        )
        prometheus = Prometheus(tmp_path, config)
        cleanup.callback(prometheus.stop)
        yield Chain(exposition, prometheus, webhook)


def test_an_alert_and_its_resolve_reach_the_webhook(chain: Chain) -> None:
    """What Prometheus finds wrong is posted with its labels and annotations, and so is its end."""
    wait_until(lambda: chain.webhook.find("NoActiveWorkers", "firing"), timeout=30)
    assert chain.prometheus.alert_states() == {"NoActiveWorkers": "firing", "Watchdog": "firing"}
    (notice,) = chain.webhook.find("NoActiveWorkers", "firing")[:1]
    assert notice.receiver == "page"
    assert notice.labels["fleet"] == "prod"
    assert notice.annotations["summary"] == "Fleet prod: no active worker"
    chain.exposition.text = BROKEN_AND_FIXED[1]
    wait_until(lambda: chain.webhook.find("NoActiveWorkers", "resolved"), timeout=30)
    assert {found.name for found in chain.webhook.notices} - {"Watchdog"} == {"NoActiveWorkers"}
    assert chain.prometheus.query("bioagents_queue_workers") != []
    assert [target["health"] for target in chain.prometheus.targets()] == ["up"]
    assert chain.prometheus.complaints() == []


def test_a_sample_that_prometheus_refuses_is_a_complaint(chain: Chain) -> None:
    """The check for warnings in Prometheus' log can fail: a sample of the year 1970 makes one."""
    chain.exposition.text = "a 1 1000\n"
    wait_until(chain.prometheus.complaints)
