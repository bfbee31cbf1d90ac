"""Copies of an exporter that differ in labels of their pods make one alert, and a rollout makes none."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from bioagents_alerts.builder import Variant
from bioagents_alerts.emit import prometheus_files
from bioagents_alerts.promql import COPIES
from bioagents_alerts.source import build
from bioagents_dashboards.export import files
from support.checkout import run
from support.rule_cases import run_cases


def _series(name: str, values: str, **labels: str) -> dict[str, str]:
    given = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f'{name}{{fleet="prod",job="x",{given}}}', "values": values}


def _verdict(folder: Path, cases: list[dict[str, Any]], copies: tuple[str, ...] = COPIES) -> str:
    """What promtool says against cases of the rules for these labels of copies; nothing if they pass."""
    rules = folder / "rules"
    rules.mkdir(parents=True)
    for name, text in prometheus_files(build(Variant(copies=copies))).items():
        (rules / name).write_text(text, encoding="utf-8")
    names = [f"rules/{path.name}" for path in rules.iterdir()]
    tests = {"rule_files": names, "evaluation_interval": "1m", "tests": cases}
    result = run_cases(folder / "cases", tests, rules)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def _both_run(*differ: str) -> dict[str, Any]:
    """Two pods during a rollout report one full queue; they differ in these labels. One alert is recorded."""
    pods = [dict.fromkeys(differ, value) for value in ("old", "new")]
    depth = [_series("bioagents_queue_depth", "90x30", queue="chat", state="waiting", **pod) for pod in pods]
    limit = [_series("bioagents_queue_depth_limit", "50x30", queue="chat", **pod) for pod in pods]
    firing = 'count(ALERTS{alertname="HighQueueDepth",alertstate="firing"})'
    return {
        "name": "HighQueueDepth: two exporters",
        "interval": "1m",
        "input_series": [*depth, *limit],
        "promql_expr_test": [
            {"expr": firing, "eval_time": "20m", "exp_samples": [{"labels": "{}", "value": 1}]}
        ],
    }


def test_pods_that_differ_in_every_known_label_make_one_alert(tmp_path: Path) -> None:
    """Of Kubernetes, Docker Swarm, Nomad, Consul and ECS."""
    assert _verdict(tmp_path, [_both_run(*COPIES)]) == ""


def test_a_further_label_is_dropped_where_it_is_given(tmp_path: Path) -> None:
    """And only there: otherwise each value has an alert of its own."""
    assert _verdict(tmp_path / "given", [_both_run("pod", "build_id")], (*COPIES, "build_id")) == ""
    assert "got: {} 2E+00" in _verdict(tmp_path / "not", [_both_run("pod", "build_id")])


@pytest.mark.parametrize("label", ["build_id", "pod_template_hash"])
def test_a_rollout_is_no_page(tmp_path: Path, label: str) -> None:
    """The old pod vanishes, the new one has another address and another value of any label."""
    old, new = ({"instance": name, label: name} for name in ("old", "new"))
    central = "bioagents_exporter_source_success"
    silent = [
        {"alertname": "ExporterDown", "eval_time": f"{minute}m", "exp_alerts": []}
        for minute in (66, 70, 120, 300, 400)
    ]
    case = {
        "name": "ExporterDown: just below (a rollout)",
        "interval": "1m",
        "input_series": [
            _series(central, "1x60 stale", source="fleet", **old),
            _series("up", "1x60 stale", **old),
            _series(central, "_x58 1x400", source="fleet", **new),
            _series("up", "_x58 1x400", **new),
        ],
        "alert_rule_test": silent,
    }
    assert _verdict(tmp_path, [case]) == ""


def test_the_command_adds_labels_to_those_that_are_known(tmp_path: Path) -> None:
    """In every list of a rule and of a board, once each, a name of Prometheus 3 in quotes."""
    given = [
        argument for label in ("build_id", "pod", "k8s.pod.name") for argument in ("--copy-label", label)
    ]
    written = run(sys.executable, "-m", "bioagents_cli", "rules", *given, cwd=tmp_path)
    text = " ".join(written.replace('\\"', '"').split())  # as it is in YAML: quoted, or in several lines
    every = f'{", ".join(COPIES)}, build_id, "k8s.pod.name"'
    lists = re.findall(r"without \((instance[^)]*)\)", text)
    assert lists
    assert all(one.startswith(every) for one in lists)


def test_the_boards_follow() -> None:
    """Each query of an exported board that joins copies drops the given labels too."""
    shipped, extended = files("classic"), files("classic", copy_labels=("build_id", "k8s.pod.name"))
    known = ", ".join(COPIES)
    changed = 0
    for name, text in shipped.items():
        wanted = json.dumps(f'{known}, build_id, "k8s.pod.name"')[1:-1]
        assert extended[name] == text.replace(known, wanted)
        changed += text.count(known)
    assert changed > 50
