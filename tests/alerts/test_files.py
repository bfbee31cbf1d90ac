"""The small public interface that tests and the demo use."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from bioagents_alerts import rules_folder, write_prometheus, write_rules
from support.programs import require


def test_rules_are_written_as_they_ship(tmp_path: Path) -> None:
    """Comments included, to a folder that need not exist; the paths come back."""
    written = write_rules(tmp_path / "new" / "rules")
    assert {path.name for path in written} == {path.name for path in rules_folder().glob("*.yml")}
    assert all(path.read_bytes() == (rules_folder() / path.name).read_bytes() for path in written)


def test_rules_are_scaled_by_the_factor(tmp_path: Path) -> None:
    """The files hold the divided durations."""
    write_rules(tmp_path, factor=60)
    group = yaml.safe_load((tmp_path / "jobs.yml").read_text(encoding="utf-8"))["groups"][0]
    (alert,) = [rule for rule in group["rules"] if rule.get("alert") == "HighJobFailureRate"]
    assert alert["for"] == "5s"
    assert "[5s]" in group["rules"][0]["expr"]


def test_a_bad_factor_is_refused(tmp_path: Path) -> None:
    """A factor that is not positive raises a ValueError."""
    with pytest.raises(ValueError, match="is not a valid factor"):
        write_rules(tmp_path, factor=-1)


@pytest.mark.parametrize("alertmanagers", [[], ["127.0.0.1:9093"]], ids=["alone", "with Alertmanager"])
def test_promtool_accepts_the_prometheus_configuration(tmp_path: Path, alertmanagers: list[str]) -> None:
    """With and without an Alertmanager; the rules are found whatever the working directory is."""
    config = write_prometheus(tmp_path, ["127.0.0.1:9877"], write_rules(tmp_path / "r"), alertmanagers, 0.5)
    result = subprocess.run(
        [require("promtool"), "check", "config", config], capture_output=True, text=True, check=False, cwd="/"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(list(rules_folder().glob('*.yml')))} rule files found" in result.stdout


def test_rules_inside_the_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a wheel has them."""
    (tmp_path / "rules").mkdir()
    monkeypatch.setattr("bioagents_alerts.files._PACKAGE", tmp_path)
    assert rules_folder() == tmp_path / "rules"
