"""The resource of the Prometheus operator."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from bioagents_alerts import rules_folder
from bioagents_alerts.command import main

DURATION = r"(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)"
RULE_FIELDS = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}


def _shipped() -> dict[str, dict[str, Any]]:
    """Group name → group, of the files."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rules_folder().glob("*.yml")]
    return _by_name([group for file in files for group in file["groups"]])


def _by_name(groups: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without the spaces of expressions: a deeper indentation breaks lines at other places."""
    for group in groups:
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"\s", "", rule["expr"])
    return {group["name"]: group for group in groups}


def test_the_resource_is_what_the_operator_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Every field by name and type, as its CustomResourceDefinition has them (monitoring.coreos.com/v1)."""
    assert main(["--format", "operator"], "bioagents rules") == 0
    resource = yaml.safe_load(capsys.readouterr().out)
    assert resource.keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["metadata"] == {"name": "bioagents"}
    groups = resource["spec"]["groups"]
    assert all(isinstance(rule["expr"], str) for group in groups for rule in group["rules"])
    assert _by_name(groups) == _shipped()
    for group in groups:
        assert group.keys() <= {"name", "interval", "rules"}
        assert re.fullmatch(DURATION, group.get("interval", "1s"))
        for rule in group["rules"]:
            assert ("alert" in rule) != ("record" in rule)
            assert rule.keys() <= RULE_FIELDS
            for key in ("for", "keep_firing_for"):
                assert re.fullmatch(DURATION, rule.get(key, "1s"))
            for key in ("labels", "annotations"):
                assert all(isinstance(value, str) for value in rule.get(key, {}).values())
