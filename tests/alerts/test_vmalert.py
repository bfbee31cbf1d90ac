"""VictoriaMetrics' vmalert reads the rules, and its texts have the answers to their queries."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bioagents_alerts import rules_folder
from support.checkout import ROOT
from support.programs import require
from support.rule_files import alerts, rule_tests

#: Cases whose fault lasts for long after the alert, whose text asks for its cause, and minutes to look at it.
CASES = {"RedisDown: fires": 20, "WorkersBelowMinimum: fires": 30}
GROUPS = {alert.name: alert.group for alert in alerts()}
FILES = {alert.name: alert.file for alert in alerts()}


def _run(program: str, *args: str | Path) -> None:
    command = [require(program, "newer"), *args]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_vmalert_reads_every_rule() -> None:
    """It checks expressions and templates."""
    _run("vmalert", "-dryRun", f"-rule={rules_folder()}/*.yml")


@pytest.mark.parametrize("case", CASES)
def test_a_text_has_its_answers(tmp_path: Path, case: str) -> None:
    """Templates of vmalert see the labels alertname and alertgroup, which no series has.

    It looks minutes later than promtool: vmalert sees what a group records at the next evaluation.
    """
    alert = case.partition(":")[0]
    tests = rule_tests((ROOT / "alerts/tests" / FILES[alert]).read_text(encoding="utf-8"))
    (test,) = [test for test in tests["tests"] if test["name"] == case]
    (expected,) = next(at["exp_alerts"] for at in test["alert_rule_test"] if at["exp_alerts"])
    looked_at = {"alertname": alert, "groupname": GROUPS[alert], "eval_time": f"{CASES[case]}m"}
    expected["exp_labels"]["alertgroup"] = GROUPS[alert]
    test["alert_rule_test"] = [looked_at | {"exp_alerts": [expected]}]
    tests |= {"rule_files": [f"{rules_folder()}/*.yml"], "tests": [test]}
    (tmp_path / "case.yml").write_text(json.dumps(tests), encoding="utf-8")
    _run("vmalert-tool", "unittest", f"--files={tmp_path}/case.yml")
