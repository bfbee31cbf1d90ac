"""The names of our alerts, so that a board shows these and no other bundle's."""

from __future__ import annotations

import yaml

from bioagents_alerts import rules_folder


def alert_names() -> tuple[str, ...]:
    """Every alert of the rule files that means a fault (a watchdog does not), in alphabetical order."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rules_folder().glob("*.yml")]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule and rule["labels"]["severity"] != "none"]
    return tuple(sorted({rule["alert"] for rule in alerts}))
