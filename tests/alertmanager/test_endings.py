"""What is inhibited ends no later than what explains it: a fault that is fixed is not reported again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from bioagents_alerts import alertmanager_file
from bioagents_alerts.durations import milliseconds
from support.rule_files import alerts

CONFIG: Final = yaml.safe_load(alertmanager_file().read_text(encoding="utf-8"))
KEPT: Final = {
    alert.name: milliseconds(alert.rule.get("keep_firing_for", "0s"))
    for alert in alerts()
    if alert.rule["labels"]["severity"] != "none"
}
#: About a budget of days that is spent, which is still so when its cause is over.
OF_DAYS: Final = {"WaitSLOSlowBurn", "SuccessSLOSlowBurn"}


def _matching(matchers: list[str]) -> set[str]:
    """The alerts whose name is that of the matchers; empty where they have no name."""
    for matcher in matchers:
        label, operator, pattern = re.split("(=~|!~|=|!=)", matcher, maxsplit=1)
        if label == "alertname":
            wanted = operator in {"=", "=~"}
            return {name for name in KEPT if bool(re.fullmatch(pattern.strip('"'), name)) == wanted}
    return set()


def _inhibitions() -> Iterator[tuple[str, str]]:
    """Source and target. Not of RedisDown, because without it no reading of Redis starts an alert."""
    rules: list[dict[str, Any]] = CONFIG["inhibit_rules"]
    for rule in rules:
        for source in sorted(_matching(rule["source_matchers"]) - {"RedisDown"}):
            for target in sorted(_matching(rule["target_matchers"]) - OF_DAYS):
                yield source, target


PAIRS: Final = sorted(_inhibitions())


def test_a_source_fires_at_least_as_long_as_its_targets() -> None:
    """Both end when the fault is fixed; a target that is kept longer would be sent alone."""
    assert [(source, target) for source, target in PAIRS if KEPT[source] < KEPT[target]] == []


def test_a_redis_that_comes_and_goes_is_one_page() -> None:
    """It inhibits all that is read from Redis, and must not hide for long what is wrong afterwards."""
    assert 0 < KEPT["RedisDown"] <= min(KEPT["NoActiveWorkers"], milliseconds("5m"))


def test_the_pairs_are_found() -> None:
    """Those by name, by alternatives and by a pattern."""
    assert {("RedisEvicting", "RedisMemoryHigh"), ("QueueStalled", "QueueGrowing")} <= set(PAIRS)
    assert ("NoActiveWorkers", "WaitSLOFastBurn") in PAIRS
