"""Where a board says that an alert begins, it does: the rules have the same numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest

from bioagents_dashboards.drawing.style import BAD
from bioagents_dashboards.queries import exporter, redis, slo, workers
from support.boards import boards, panels, queries
from support.rule_files import alerts

EXPRESSIONS = {alert.name: alert.expression for alert in alerts()}

#: Nothing of a thing, some of it, all of its limit: red there needs no number of the rules.
PLAIN = {0, 0.001, 1}

#: Where a panel's red begins, or ends where the lowest numbers are red, and the alert with the same number.
RED = MappingProxyType(
    {
        "Actor / Failures": (0.1, "HighJobFailureRate"),
        "Fleet overview / Failures": (0.1, "HighJobFailureRate"),
        "Fleet overview / Busiest workers / Memory": (0.9, "WorkerMemoryHigh"),
        "Workers / Fullest host": (0.9, "WorkerMemoryHigh"),
        "Workers / Workers / Memory used": (0.9, "WorkerMemoryHigh"),
        "Workers / Least loaded": (0.2, "WorkersUneven"),
        "Workers / Boots per worker": (3.5, "WorkerRestarting"),
        "Workers / Clock skew": (10, "WorkerClockSkew"),
        "Capacity / Slots in use": (0.9, "WorkersAtCapacity"),
        "Redis and exporter / Round trip": (0.1, "RedisSlow"),
        "Redis and exporter / Memory used": (0.9, "RedisMemoryHigh"),
        "Redis and exporter / Oldest numbers": (300, "ExporterReadStale"),
        "Redis and exporter / Sources / Age": (300, "ExporterReadStale"),
        "SLO / Wait burn": (14.4, "WaitSLOFastBurn"),
        "SLO / Success burn": (14.4, "SuccessSLOFastBurn"),
        "SLO / Jobs start in time: worst queues / Burn 1 h": (14.4, "WaitSLOFastBurn"),
        "SLO / Jobs start in time: worst queues / Burn 6 h": (6, "WaitSLOFastBurn"),
        "SLO / Jobs succeed: worst queues / Burn 1 h": (14.4, "SuccessSLOFastBurn"),
        "SLO / Jobs succeed: worst queues / Burn 6 h": (6, "SuccessSLOFastBurn"),
    }
)

#: Red by a board's own judgement: no alert has such a number, each with the reason.
OF_ITS_OWN = MappingProxyType(
    {
        "Actor / Against yesterday": "no alert compares days",
        "Capacity / Wait breaks in": "a forecast, which no alert makes",
        "Capacity / Queues / Wait limit breaks in": "a forecast, which no alert makes",
        "Redis and exporter / Copies of the exporter / Scrape": "no alert times scrapes",
        "Redis and exporter / Copies of the exporter / Files open": "no alert counts files",
    }
)


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
    assert begins(alert, threshold, ">")


def test_red_is_what_the_alerts_say() -> None:
    """Each number at which a panel turns red is an alert's, compared the same way, or has its excuse."""
    found = {name: (number, compared) for name, number, compared in borders() if number not in PLAIN}
    assert set(found) == set(RED) | set(OF_ITS_OWN)
    for name, (number, alert) in RED.items():
        border, compared = found[name]
        assert border == number, name
        assert begins(alert, number, compared), name


def begins(alert: str, threshold: float, compared: str) -> bool:
    """Whether the alert's expression compares something with the number; nothing tells which thing."""
    return bool(re.search(rf"{compared}=? {re.escape(f'{threshold:g}')}(?![\d.])", EXPRESSIONS[alert]))


def borders() -> Iterator[tuple[str, float, str]]:
    """Panel, or panel and column; the number at which its red begins or ends; > or <."""
    for board in boards().values():
        for panel in panels(board):
            name = f"{board['title']} / {panel['title']}"
            config = panel["fieldConfig"]
            yield from _border(name, config["defaults"].get("thresholds"))
            for override in config.get("overrides", []):
                for changed in (p for p in override["properties"] if p["id"] == "thresholds"):
                    yield from _border(f"{name} / {override['matcher']['options']}", changed["value"])


def _border(name: str, thresholds: dict[str, Any] | None) -> Iterator[tuple[str, float, str]]:
    steps = [
        (step["value"], step["color"])
        for step in (thresholds or {"steps": []})["steps"]
        if step["value"] is not None
    ]
    red = [place for place, (_, color) in enumerate(steps) if color == BAD]
    if not red:
        return
    if (
        red[0] == 0 and steps[0][0] < 0
    ):  # from the lowest number on: red ends with the next step, if there is one
        yield from ((name, end, "<") for end, _ in steps[1:2])
    else:
        yield name, steps[red[0]][0], ">"


def test_workers_are_compared_where_the_alert_compares_them() -> None:
    """The board judges the same roles as WorkersUneven: those with as many attempts for each slot."""
    enough = re.search(r"role:bioagents_worker_jobs:rate30m > [^()]+", EXPRESSIONS["WorkersUneven"])
    (least,) = [query for query in queries() if str(query) == "Workers / Least loaded / A"]
    assert enough
    assert enough[0] in re.sub(r"\{[^}]*\}", "", least.expression)


@pytest.mark.parametrize("burn", slo.BURNS, ids=lambda burn: burn.long)
@pytest.mark.parametrize("objective", slo.Objective)
def test_burn_rates_of_the_objectives(objective: slo.Objective, burn: slo.Burn) -> None:
    """Both windows of a pair with its threshold, in the alert that pages or writes a ticket."""
    alert = EXPRESSIONS[f"{objective.title()}SLO{'Fast' if burn.pages else 'Slow'}Burn"]
    for window in (burn.long, burn.short):
        assert re.search(rf"ratio_rate{window} / \([^)]*\)\s*> {burn.threshold:g}\b", alert)
