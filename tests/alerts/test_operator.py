"""The committed resource of the Prometheus operator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bioagents_alerts import rules_folder
from bioagents_alerts.command import main
from support.checkout import ROOT

OPERATOR = ROOT / "alerts" / "prometheus-operator" / "prometheusrule.yaml"
DURATION = r"(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)"


def _shipped() -> list[dict[str, Any]]:
    files = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(rules_folder().glob("*.yml"))
    ]
    return [group for file in files for group in file["groups"]]


def test_the_committed_resource_is_generated_anew(tmp_path: Path) -> None:
    """`make generate` writes it; whoever changes a rule commits both."""
    assert main(["--format", "operator", "--output", str(tmp_path)], "bioagents rules") == 0
    (written,) = tmp_path.iterdir()
    assert written.name == OPERATOR.name
    assert OPERATOR.read_text(encoding="utf-8") == written.read_text(encoding="utf-8"), "run `make generate`"
    assert [path.name for path in OPERATOR.parent.iterdir()] == [OPERATOR.name]


def test_the_resource_is_what_the_operator_takes() -> None:
    """Every field by name and type, as its CustomResourceDefinition has them (monitoring.coreos.com/v1)."""
    resource = yaml.safe_load(OPERATOR.read_text(encoding="utf-8"))
    assert resource.keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["metadata"] == {"name": "bioagents"}
    assert resource["spec"] == {"groups": _shipped()}
    groups = resource["spec"]["groups"]
    assert len({group["name"] for group in groups}) == len(groups)  # a map by name
    for group in groups:
        assert group.keys() <= {"name", "interval", "rules"}
        assert re.fullmatch(DURATION, group.get("interval", "1s"))
        for rule in group["rules"]:
            assert ("alert" in rule) != ("record" in rule)
            assert rule.keys() <= {
                "alert",
                "record",
                "expr",
                "for",
                "keep_firing_for",
                "labels",
                "annotations",
            }
            assert isinstance(rule["expr"], str)
            for key in ("for", "keep_firing_for"):
                assert re.fullmatch(DURATION, rule.get(key, "1s"))
            for key in ("labels", "annotations"):
                assert all(isinstance(value, str) for value in rule.get(key, {}).values())
