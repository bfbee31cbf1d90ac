"""Where a board says that an alert begins, it does: the rules have the same numbers."""

from __future__ import annotations

import re

import pytest

from bioagents_dashboards.queries import exporter, redis, slo, workers
from support.rule_files import alerts

EXPRESSIONS = {alert.name: alert.expression for alert in alerts()}


@pytest.mark.parametrize(
    ("alert", "threshold"),
    [
        ("RedisSlow", redis.SLOW_SECONDS),
        ("RedisMemoryHigh", redis.FULL),
        ("RedisReplicationBroken", redis.LAG_SECONDS),
        ("ExporterReadStale", exporter.STALE_SECONDS),
        ("MetricsFlushDelayed", exporter.LATE_SECONDS),
        ("WorkerMemoryHigh", workers.MEMORY_HIGH),
        ("WorkerRestarting", workers.BOOTS_HIGH),
        ("WorkerClockSkew", workers.SKEW_HIGH),
    ],
)
def test_threshold_of_an_alert(alert: str, threshold: float) -> None:
    """The number after the comparison."""
    assert re.search(rf"> {re.escape(f'{threshold:g}')}\b", EXPRESSIONS[alert])


@pytest.mark.parametrize("burn", slo.BURNS, ids=lambda burn: burn.long)
@pytest.mark.parametrize("objective", slo.Objective)
def test_burn_rates_of_the_objectives(objective: slo.Objective, burn: slo.Burn) -> None:
    """Both windows of a pair with its threshold, in the alert that pages or writes a ticket."""
    alert = EXPRESSIONS[f"{objective.title()}SLO{'Fast' if burn.pages else 'Slow'}Burn"]
    for window in (burn.long, burn.short):
        assert re.search(rf"ratio_rate{window} / \([^)]*\) > {burn.threshold:g}\b", alert)
