"""The rules for another prefix, targets, copies, thresholds: promtool's verdict, and what they watch."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bioagents_alerts import objectives
from bioagents_alerts.builder import Variant
from bioagents_alerts.emit import prometheus_files
from bioagents_alerts.objectives import Objective
from bioagents_alerts.promql import COPIES, written
from bioagents_alerts.selector import parse_selector
from bioagents_alerts.source import build
from bioagents_alerts.thresholds import THRESHOLDS
from support.checkout import ROOT
from support.programs import Release, require
from support.rule_cases import run_cases
from support.rule_files import names, parts, rule_tests

TESTS = ROOT / "alerts" / "tests"
CONCERNS = [path.name for path in sorted(TESTS.glob("*.yml"))]
ODD = r"""job!='a"b`c\\d%q é'"""
#: A label that only Prometheus 3 knows.
QUOTED = '"k8s.cluster %s"'


def _promtool(*args: str | Path, release: Release = "stable") -> subprocess.CompletedProcess[str]:
    return subprocess.run([require("promtool", release), *args], capture_output=True, text=True, check=False)


def _written(folder: Path, variant: Variant) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, text in prometheus_files(build(variant)).items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.yml"))


def _run(folder: Path, tests: dict[str, Any], release: Release = "stable") -> None:
    """The tests pass on the rules of the folder ``rules`` next to them."""
    result = run_cases(folder / "cases", tests, folder / "rules", release)
    assert result.returncode == 0, result.stdout + result.stderr


def _expected(tests: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for test in tests["tests"]:
        for at in test.get("alert_rule_test", []):
            yield from at["exp_alerts"]


def _rules(variant: Variant) -> Iterator[dict[str, Any]]:
    """As Prometheus reads them."""
    for text in prometheus_files(build(variant)).values():
        for group in yaml.safe_load(text)["groups"]:
            yield from group["rules"]


@pytest.mark.parametrize(
    "variant",
    [
        Variant(prefix="acme_"),
        Variant(selector=parse_selector('job="x",region=~"eu.*"')),
        Variant(prefix="a_", selector=parse_selector(ODD)),
        Variant(copies=("replica",)),
        Variant(objectives=(Objective("wait", 0.99), Objective("wait", 0.999, 'a "b"\nд'))),
        Variant(thresholds={alert: threshold.default * 0.7 for alert, threshold in THRESHOLDS.items()}),
    ],
    ids=["prefix", "selector", "odd", "copies", "objectives", "thresholds"],
)
def test_a_variant_passes_every_lint(tmp_path: Path, variant: Variant) -> None:
    """`promtool check rules`, and a second parser."""
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *_written(tmp_path, variant))
    assert result.returncode == 0, result.stdout + result.stderr
    for rule in _rules(variant):
        names(rule["expr"])


def test_labels_that_only_prometheus_3_knows_pass_every_lint(tmp_path: Path) -> None:
    """In a selector, and among those in which copies differ."""
    variant = Variant(selector=parse_selector(f'{QUOTED}="a"'), copies=("instance", "k8s.pod.name"))
    files = _written(tmp_path, variant)
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *files, release="newer")
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_name_keeps_the_old_prefix() -> None:
    """Neither in expressions nor in annotations nor among the recorded series."""
    text = json.dumps(list(_rules(Variant(prefix="acme_"))))
    assert not re.search(r"\bbioagents_", text)
    assert "queue:acme_" in text


def test_every_selector_of_ours_and_of_up_is_narrowed() -> None:
    """In the expressions by a second parser; in the annotations by a look at what follows each name."""
    variant = Variant(selector=parse_selector('region="eu"'))
    for rule in _rules(variant):
        used = names(rule["expr"])
        assert {metric for metric, label in used.matched if label == "region"} == used.metrics
        for text in rule.get("annotations", {}).values():
            for found in re.finditer(r"(?:(?:\w+:)?\bbioagents_\w+(?::\w+)?|\bup(?=\{))(\{[^}]*\}|)", text):
                assert 'region="eu"' in found[1].replace("\\", ""), text


def test_a_selector_of_copies_leaves_recorded_series_alone() -> None:
    """They have no such label, and `up` has no fleet. A fixed matcher of the same label is replaced."""
    variant = Variant(selector=parse_selector('instance="a",fleet="prod",job="x"'))
    for rule in _rules(variant):
        for metric, label in names(rule["expr"]).matched:
            assert not (":" in metric and label == "instance"), rule["expr"]
            assert not (metric == "up" and label == "fleet"), rule["expr"]
        assert 'job="bioagents"' not in rule["expr"]


def test_copies_are_those_that_are_given() -> None:
    """No rule drops a label of the default list, and each gauge is joined over the given one."""
    variant = Variant(copies=("replica",))
    for rule in _rules(variant):
        for node in parts(rule["expr"]):
            modifier = getattr(node, "modifier", None)
            if labels := set(getattr(modifier, "labels", None) or ()):
                assert not labels & {*COPIES}, rule["expr"]
    (depth,) = [rule for rule in _rules(variant) if rule.get("record") == "queue:bioagents_queue_slots:max"]
    assert depth["expr"] == "max without (replica) (bioagents_queue_slots)"


def _with_labels(test: dict[str, Any], **labels: str) -> dict[str, Any]:
    """The same case, with these labels on every target."""
    given = ",".join(f"{written(name)}={json.dumps(value)}" for name, value in labels.items())
    changed: dict[str, Any] = json.loads(json.dumps(test))
    for series in changed["input_series"]:
        series["series"] = re.sub(r"^(\w+)\{", lambda name: f"{name[1]}{{{given},", series["series"])
    for expected in _expected({"tests": [changed]}):
        expected["exp_labels"] = labels | expected["exp_labels"]
    return changed


@pytest.mark.parametrize("file", CONCERNS)
def test_each_alert_fires_under_another_prefix_and_selector(tmp_path: Path, file: str) -> None:
    """With exact labels and texts, when its series are renamed too and the selector leaves nothing out.

    The selector's value holds each kind of quote, and breaks no expression and no template. Nor do labels of
    the target: those that our rules add, and one whose name only Prometheus 3 takes.
    """
    selector = parse_selector(f'{ODD},{QUOTED}=~".+"')
    _written(tmp_path / "rules", Variant(prefix="acme_", selector=selector))
    text = (TESTS / file).read_text(encoding="utf-8").replace("../rules/", "rules/")
    tests = rule_tests(text.replace("bioagents_", "acme_"))
    labels = {json.loads(QUOTED): 'a "b"', "severity": "theirs", "alertgroup": "theirs"}
    fires = [
        test
        for test in tests["tests"]
        if ": fires" in test["name"] and not test["name"].startswith("Watchdog")
    ]
    tests["tests"] = [_with_labels(test, **labels) for test in fires]
    _run(tmp_path, tests, "newer")


def test_other_regions_are_left_out(tmp_path: Path) -> None:
    """Of two equal faults only that of the selected region alerts, and its text asks only there."""
    _written(tmp_path / "rules", Variant(selector=parse_selector('job="bioagents",region=~"eu.*"')))
    tests = rule_tests((TESTS / "queues.yml").read_text(encoding="utf-8"))
    (test,) = [test for test in tests["tests"] if test["name"] == "HighQueueDepth: fires"]
    elsewhere = [
        series | {"series": series["series"].replace('region="eu"', 'region="us"')}
        for series in test["input_series"]
    ]
    _run(tmp_path, tests | {"tests": [test | {"input_series": test["input_series"] + elsewhere}]})


def test_addresses_of_pages_are_those_that_are_given() -> None:
    """Runbooks and boards under any base."""
    variant = Variant(runbook_url="https://wiki/on-call", dashboard_url="https://grafana.example.org/g")
    for rule in _rules(variant):
        if "alert" in rule:
            url = rule["annotations"]["runbook_url"].partition("?")[0]
            assert url == f"https://wiki/on-call/{rule['alert']}"
            assert rule["annotations"]["dashboard_url"].startswith("https://grafana.example.org/g/d/")


def test_a_threshold_changes_in_the_expression_and_in_the_text() -> None:
    """The number that fires is the number that people read, and no other rule changes."""
    before = {rule.get("alert"): rule for rule in _rules(Variant())}
    for alert, threshold in THRESHOLDS.items():
        changed = {
            rule.get("alert"): rule for rule in _rules(Variant(thresholds={alert: threshold.default / 2}))
        }
        assert {name for name in before if before[name] != changed[name]} == {alert}
        assert changed[alert]["expr"] != before[alert]["expr"]
        assert changed[alert]["annotations"]["summary"] != before[alert]["annotations"]["summary"]


@pytest.mark.parametrize("name", objectives.DEFAULTS)
def test_an_objective_changes_for_all_queues_and_for_one(name: str) -> None:
    """The queue that has its own goes first."""
    given = (Objective(name, 0.98), Objective(name, 0.999, 'a "b"'))
    record = f"queue:bioagents_{name}_slo:objective"
    (rule,) = [rule for rule in _rules(Variant(objectives=given)) if rule.get("record") == record]
    assert re.fullmatch(r'0 \* (\S+)\{queue="a \\"b\\""\} \+ 0\.999\nor 0 \* \1 \+ 0\.98\n', rule["expr"])


def test_the_fastest_burn_is_that_of_the_rules() -> None:
    """An objective is judged by the highest factor that an alert waits for."""
    text = prometheus_files(build(Variant()))["slo.yml"]
    factors = re.findall(r"objective\)(?:\n +| )> ([\d.]+)", text)
    assert max(map(float, factors)) == objectives.FASTEST
