"""promtool's verdict on the rules, and on whether each alert is tested from every side."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bioagents_alerts import rules_folder, write_rules
from support.programs import require
from support.rule_files import Alert, alerts, names

TESTS = Path(__file__).parents[2] / "alerts" / "tests"
CASES = {"fires", "just below", "data missing", "two exporters", "absent series"}
COUNTER_CASES = CASES | {"counter reset"}
ALERTS = alerts()

# Each is a mistake that a test of the rules must notice: file, what stands there, the mistake.
MISTAKES = [
    ("queues.yml", "> max", ">= max"),
    ("queues.yml", " for: 10m", " for: 9m"),
    ("queues.yml", " for: 10m", " for: 11m"),
    ("queues.yml", "keep_firing_for: 5m", "keep_firing_for: 4m"),
    ("queues.yml", '{state="waiting"}', ""),
    ("queues.yml", "instance, pod", "pod"),
    ("queues.yml", "endpoint", "endpoint, fleet"),
    ("queues.yml", "max without", "min without"),
    ("workers.yml", "or 0 *", "and 0 *"),
    ("workers.yml", '{source="fleet"}) == 1', '{source="fleet"}) >= 0'),
    ("workers.yml", '{source="fleet"}', ""),
    ("workers.yml", " for: 1m", " for: 45s"),
    ("workers.yml", " for: 1m", " for: 2m"),
    ("workers.yml", "sum without (queue)", "min without (queue)"),
    ("workers.yml", "sum without (queue)", "sum without (queue, fleet)"),
    ("workers.yml", "max without", "min without"),
    ("workers.yml", "keep_firing_for: 2m", "keep_firing_for: 3m"),
    ("jobs.yml", "> 0.1", "> 0.087"),
    ("jobs.yml", "> 0.1", "> 0.117"),
    ("jobs.yml", ", wire", ""),
    ("jobs.yml", "actor, exception", "actor"),
    ("jobs.yml", "max without", "sum without"),
    ("jobs.yml", " for: 5m", " for: 4m"),
    ("jobs.yml", " for: 5m", " for: 6m"),
    ("jobs.yml", "total[5m]", "total[3m]"),
    ("jobs.yml", "total[5m]", "total[10m]"),
    ("jobs.yml", "rate(bio", "deriv(bio"),
    ("jobs.yml", ", wire", ", wire, queue"),
]


def _promtool(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([require("promtool"), *args], capture_output=True, text=True, check=False)


def _case_groups() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Alert, case and promtool test, by the tests' names."""
    for path in sorted(TESTS.glob("*.yml")):
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            alert, case = test["name"].split(": ", 1)
            yield alert, case.split(" (")[0], test


def _expected(test: dict[str, Any], alert: str) -> list[dict[str, Any]]:
    return [
        expected
        for at in test["alert_rule_test"]
        if at["alertname"] == alert
        for expected in at["exp_alerts"]
    ]


def test_the_rules_pass_every_lint() -> None:
    """`promtool check rules` with every lint on, each of them fatal."""
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *sorted(rules_folder().glob("*.yml")))
    assert result.returncode == 0, result.stdout + result.stderr


def test_scaled_rules_are_rules(tmp_path: Path) -> None:
    """Divided by a factor they still pass every lint."""
    result = _promtool("check", "rules", "--lint=all", "--lint-fatal", *write_rules(tmp_path, factor=37.5))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_rule_tests_pass() -> None:
    """`promtool test rules` on every file of alerts/tests."""
    result = _promtool("test", "rules", *sorted(TESTS.glob("*.yml")))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_alert_is_tested_from_every_side(alert: Alert) -> None:
    """It fires with exact labels and annotations, and every other case that can trouble it is there."""
    counts = names(alert.expression).functions & {"rate", "increase", "irate"}
    mine = [(case, test) for name, case, test in _case_groups() if name == alert.name]
    assert {case for case, _ in mine} == (COUNTER_CASES if counts else CASES)
    for case, test in mine:
        assert any(at["alertname"] == alert.name for at in test["alert_rule_test"]), test["name"]
        found = _expected(test, alert.name)
        assert case != "just below" or not found, test["name"]
        assert case != "fires" or found, test["name"]
        for expected in found:
            assert expected["exp_labels"].keys() >= {"severity", "fleet"}
            assert expected["exp_annotations"].keys() == alert.rule["annotations"].keys()


def test_no_case_names_an_alert_that_does_not_exist() -> None:
    """A renamed alert takes its tests along."""
    assert {name for name, _, _ in _case_groups()} == {alert.name for alert in ALERTS}


@pytest.mark.parametrize(("file", "right", "wrong"), MISTAKES, ids=lambda text: text)
def test_the_rule_tests_notice_a_mistake(tmp_path: Path, file: str, right: str, wrong: str) -> None:
    """Each of these mistakes in a rule makes its tests fail."""
    shutil.copytree(rules_folder(), tmp_path / "rules")
    shutil.copytree(TESTS, tmp_path / "tests")
    rules = tmp_path / "rules" / file
    text = rules.read_text(encoding="utf-8")
    assert right in text
    rules.write_text(text.replace(right, wrong), encoding="utf-8")
    assert _promtool("check", "rules", rules).returncode == 0, (
        "a mistake that promtool refuses proves nothing"
    )
    assert _promtool("test", "rules", tmp_path / "tests" / file).returncode == 1
