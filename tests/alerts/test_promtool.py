"""promtool's verdict on the rules, and on whether each alert is tested from every side."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bioagents_alerts import rules_folder, write_rules
from support.programs import RELEASES, Release, require
from support.rule_cases import run_cases
from support.rule_files import alerts, rule_tests

TESTS = Path(__file__).parents[2] / "alerts" / "tests"
CASES = {"fires", "just below", "no data", "two exporters", "counter reset"}
#: Of no single alert.
OTHERS = {"recording rules"}
ALERTS = alerts()

each_release = pytest.mark.parametrize("release", RELEASES)
each_file = pytest.mark.parametrize("path", sorted(TESTS.glob("*.yml")), ids=lambda path: path.stem)


def _promtool(*args: str | Path, release: Release = "stable") -> subprocess.CompletedProcess[str]:
    return subprocess.run([require("promtool", release), *args], capture_output=True, text=True, check=False)


@cache
def _case_groups() -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Alert, case and promtool test, by the tests' names."""
    files = [rule_tests(path.read_text(encoding="utf-8")) for path in sorted(TESTS.glob("*.yml"))]
    named = [(*test["name"].split(": ", 1), test) for file in files for test in file["tests"]]
    return tuple((alert, case.split(" (")[0], test) for alert, case, test in named if alert not in OTHERS)


def _cases(alert: str, case: str) -> list[dict[str, Any]]:
    return [test for name, of, test in _case_groups() if (name, of) == (alert, case)]


def _expected(test: dict[str, Any], alert: str) -> list[dict[str, Any]]:
    """The alerts that must fire at any of the times that a test looks at."""
    return [
        expected
        for at in test["alert_rule_test"]
        if at["alertname"] == alert
        for expected in at["exp_alerts"]
    ]


@each_release
def test_the_rules_pass_every_lint(release: Release) -> None:
    """`promtool check rules` with every lint on, each of them fatal."""
    files = sorted(rules_folder().glob("*.yml"))
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *files, release=release)
    assert result.returncode == 0, result.stdout + result.stderr


def test_scaled_rules_are_rules(tmp_path: Path) -> None:
    """Divided by a factor they still pass every lint."""
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *write_rules(tmp_path, factor=37.5))
    assert result.returncode == 0, result.stdout + result.stderr


@each_release
@each_file
def test_the_rule_tests_pass(tmp_path: Path, path: Path, release: Release) -> None:
    """`promtool test rules` on every file of alerts/tests.

    Prometheus 3 leaves the first instant out of a range, which earlier ones count: a case holds in both.
    """
    result = run_cases(tmp_path, rule_tests(path.read_text(encoding="utf-8")), rules_folder(), release)
    assert result.returncode == 0, result.stdout + result.stderr


@each_file
def test_promtool_reads_the_file_itself(tmp_path: Path, path: Path) -> None:
    """The tests above rewrite it: promtool is stricter than others about keys and anchors."""
    copy = shutil.copy(path, tmp_path / path.name)
    result = _promtool("test", "rules", copy)
    assert "no file match pattern" in result.stdout + result.stderr
    assert "unmarshal" not in result.stdout + result.stderr
    assert "alertname: " in result.stdout + result.stderr


def test_every_rule_file_has_its_tests() -> None:
    """Under the same name, in one file or in several: ``workers.yml``, ``workers-hours.yml``."""
    tested = {path.stem.split("-")[0] for path in TESTS.glob("*.yml")}
    assert tested == {path.stem for path in rules_folder().glob("*.yml")}


def test_each_alert_is_tested_from_every_side() -> None:
    """Each of the cases that can trouble an alert is there, and is about this alert."""
    for alert in ALERTS:
        mine = [(case, test) for name, case, test in _case_groups() if name == alert.name]
        assert {case for case, _ in mine} == CASES, (
            f"{alert.name}: expected one case or more of each kind, {sorted(CASES)}"
        )
        for _, test in mine:
            assert any(at["alertname"] == alert.name for at in test["alert_rule_test"]), (
                f"{test['name']}: alert_rule_test must look at {alert.name}"
            )
            for expected in _expected(test, alert.name):
                assert expected["exp_annotations"].keys() == alert.rule["annotations"].keys(), (
                    f"{test['name']}: exp_annotations must contain all annotations of the alert"
                )


def test_it_fires_with_exact_labels_and_annotations() -> None:
    """The labels of the targets stay, those of the copies go, and nothing in the text is empty."""
    for alert in ALERTS:
        fired = [expected for test in _cases(alert.name, "fires") for expected in _expected(test, alert.name)]
        assert fired, f"{alert.name}: no case `fires` expects an alert"
        if alert.name != "Watchdog":
            assert all("fleet" in expected["exp_labels"] for expected in fired), (
                f"{alert.name}: every alert of the case `fires` must carry fleet"
            )
            places = {"region", "cluster", "environment"}
            assert any(places & expected["exp_labels"].keys() for expected in fired), (
                f"{alert.name}: an alert of the case `fires` must carry region, cluster or environment"
            )
        for expected in fired:
            assert expected["exp_labels"].items() >= alert.rule["labels"].items(), (
                f"{alert.name}: `fires` must expect the labels severity, product and board of the rule"
            )
            text = " ".join(expected["exp_annotations"].values())
            assert not re.search(r'""|<no value>|\{\{|=&|error expanding', text), text


def test_it_is_silent_just_below() -> None:
    """At no time of any such case does it fire, but for the one that can do nothing else."""
    for alert in ALERTS:
        fired = [test["name"] for test in _cases(alert.name, "just below") if _expected(test, alert.name)]
        assert fired == [] or alert.name == "Watchdog", (
            f"{fired}: `just below` must expect no alert: its series miss the threshold, or satisfy the "
            "expression for less than `for`"
        )


def test_two_exporters_are_two() -> None:
    """The case has one metric from two targets."""
    for alert in ALERTS:
        for test in _cases(alert.name, "two exporters"):
            names = [re.split(r"[{ ]", series["series"])[0] for series in test.get("input_series", [])]
            assert len(names) > len(set(names)) or alert.name == "Watchdog", (
                f"{test['name']}: one metric must come from two targets"
            )


def test_no_case_names_an_alert_that_does_not_exist() -> None:
    """A renamed alert takes its tests along."""
    assert {name for name, _, _ in _case_groups()} == {alert.name for alert in ALERTS}


def _mistaken(rule: dict[str, Any], mistake: str) -> dict[str, Any]:
    """An alert with one mistake in it."""
    if mistake == "for twice as long" and "for" in rule:
        return {**rule, "for": re.sub(r"\d+", lambda number: str(2 * int(number[0])), rule["for"])}
    return {key: value for key, value in rule.items() if key != "for"}


@pytest.mark.parametrize("mistake", ["for twice as long", "without for"])
@each_file
def test_the_rule_tests_notice_a_mistake(tmp_path: Path, path: Path, mistake: str) -> None:
    """The same mistake in every alert of a file makes the tests of each of them fail.

    Wrong labels they notice anyway: each has a case with exact ones, of its target and without a copy's.
    """
    tests = rule_tests(path.read_text(encoding="utf-8"))
    kinds = (": fires", ": just below") if mistake == "without for" else (": fires",)
    tests["tests"] = [test for test in tests["tests"] if any(kind in test["name"] for kind in kinds)]
    tested = {test["name"].split(":")[0] for test in tests["tests"]}
    for name in tests["rule_files"]:
        document = yaml.safe_load((TESTS / name).read_text(encoding="utf-8"))
        for group in document["groups"]:
            group["rules"] = [
                _mistaken(rule, mistake) if "alert" in rule else rule for rule in group["rules"]
            ]
        text = json.dumps(document, ensure_ascii=False)
        (tmp_path / Path(name).name).write_text(text, encoding="utf-8")
    assert _promtool("check", "rules", *tmp_path.glob("*.yml")).returncode == 0
    result = run_cases(tmp_path / "cases", tests, tmp_path)
    noticed = set(re.findall(r"alertname: ?(\w+)", result.stdout + result.stderr))
    tested &= {alert.name for alert in ALERTS if "for" in alert.rule}
    assert tested - noticed == set()
