"""What our rules are called: a board shows these alerts and no other bundle's, and draws what they record."""

from __future__ import annotations

import functools
from typing import Any

import yaml

from bioagents_alerts import rules_folder


@functools.cache
def alert_names(board: str = "") -> tuple[str, ...]:
    """Every alert of the rule files that means a fault (a watchdog does not), in alphabetical order.

    ``board`` leaves those whose link leads to the board with this uid.
    """
    alerts = [rule for rule in _rules() if "alert" in rule and rule["labels"]["severity"] != "none"]
    leading = [rule for rule in alerts if f"/d/{board}" in rule["annotations"]["dashboard_url"]]
    return tuple(sorted({rule["alert"] for rule in leading}))


@functools.cache
def record_names() -> frozenset[str]:
    """Every series that the rule files record."""
    return frozenset(rule["record"] for rule in _rules() if "record" in rule)


def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rules_folder().glob("*.yml")]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]
