"""What a title says: what the alert is about, its number and its limit, in a line that a phone shows."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from bioagents_alerts.thresholds import THRESHOLDS
from support.rule_files import Alert, alerts, rule_tests

TESTS: Final = Path(__file__).parents[2] / "alerts" / "tests"
#: Alerts about one fact, which has no number.
NO_NUMBER: Final = {"HistogramsMissing", "MetricsLabelConflict", "RedisDown", "RedisPolicyUnsafe", "Watchdog"}
#: Its labels are those of the targets, which may have the names of ours.
OF_TARGETS: Final = "MetricsLabelConflict"
#: Alerts with several faults, not all of which have a number.
NOT_ALWAYS: Final = {"NoActiveWorkers", "ExporterReadStale", "RedisReplicationBroken"}
#: The labels that name an object, the narrowest first, and what a title calls it.
OBJECTS: Final = (("actor", "Actor"), ("queue", "Queue"), ("queues", "Workers consuming"), ("host", "Host"))
#: What a title may be on the lock screen of a phone; longer names are cut at the end.
LONGEST: Final = 80

each_alert = pytest.mark.parametrize(
    "alert", [alert for alert in alerts() if alert.name != "Watchdog"], ids=lambda alert: alert.name
)


@cache
def _tests() -> list[dict[str, Any]]:
    files = [rule_tests(path.read_text(encoding="utf-8")) for path in sorted(TESTS.glob("*.yml"))]
    return [at for file in files for test in file["tests"] for at in test.get("alert_rule_test", [])]


def _expected(name: str) -> list[dict[str, Any]]:
    """What promtool's tests expect of one alert."""
    return [expected for at in _tests() if at["alertname"] == name for expected in at["exp_alerts"]]


def _limited(alert: Alert) -> bool:
    return alert.name in THRESHOLDS or bool(re.search(r"_(limit\w*|min_workers):", alert.expression))


@each_alert
def test_a_title_begins_with_the_object_and_names_the_fleet(alert: Alert) -> None:
    """``Queue chat: …``: which queue, before the end of the line is cut; promtool rendered it."""
    for expected in _expected(alert.name):
        labels, summary = expected["exp_labels"], expected["exp_annotations"]["summary"]
        found = [
            f"{word} {labels[label]}"
            for label, word in OBJECTS
            if label in labels and alert.name != OF_TARGETS
        ]
        fleet = (f"Fleet {labels['fleet']}", f"Redis of fleet {labels['fleet']}")
        assert summary.startswith(tuple(f"{start}: " for start in found[:1] or fleet)), summary
        assert f"fleet {labels['fleet']}" in summary.lower()


@each_alert
def test_a_title_carries_the_number_and_the_limit(alert: Alert) -> None:
    """Every alert with a number shows it, and every alert with a limit shows how far it is above."""
    summary = alert.rule["annotations"]["summary"]
    assert ("$value" in summary or "range query" in summary) != (alert.name in NO_NUMBER)
    assert not _limited(alert) or "limit" in summary or "minimum" in summary


@each_alert
def test_a_rendered_title_is_one_short_line(alert: Alert) -> None:
    """Without a template's error, doubled or missing spaces, and with a digit where there is a number."""
    for expected in _expected(alert.name):
        labels, summary = expected["exp_labels"], expected["exp_annotations"]["summary"]
        names = "".join(labels.values())
        if names.isascii():
            assert not re.search(r"\n|  | [,:;)]|<no value>|\{\{|error expanding|[.,]$", summary), summary
            assert len(summary) <= LONGEST, summary
        assert re.search(r"\d", summary) or alert.name in NO_NUMBER | NOT_ALWAYS, summary


def test_the_exceptions_are_alerts() -> None:
    """So that the lists above stay short."""
    assert {alert.name for alert in alerts()} >= NO_NUMBER | NOT_ALWAYS
