"""Which receiver gets which alert: `amtool config routes test` on the file that ships and on a copy of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bioagents_alerts import alertmanager_file, write_alertmanager
from support.programs import require
from support.rule_files import alerts

RECEIVER_OF = {"critical": "page", "warning": "ticket", "info": "none", "none": "watchdog"}
ODD_NAME = 'a "b" \\ c\n中 é 名'


def _receiver(config: Path, labels: dict[str, str]) -> str:
    command = [require("amtool"), "config", "routes", "test", f"--config.file={config}"]
    quoted = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    result = subprocess.run([*command, *quoted], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.strip()


@pytest.fixture(params=["shipped", "copy"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Both must route in the same way."""
    if request.param == "shipped":
        return alertmanager_file()
    return write_alertmanager(tmp_path, "http://127.0.0.1:9/", 60)


def test_an_alert_of_our_rules_goes_to_the_receiver_of_its_severity(config: Path) -> None:
    """Critical to page, warning to ticket, info to none; the Watchdog has a receiver of its own."""
    for alert in alerts():
        labels = {"alertname": alert.name, **alert.rule["labels"]}
        if labels["severity"] != "none":
            labels |= {"fleet": "prod", "job": "bioagents"}
        assert _receiver(config, labels) == RECEIVER_OF[labels["severity"]], alert.name


def test_any_alert_has_one_receiver(config: Path) -> None:
    """Whatever its name and labels are, and whether it is ours or not."""
    for labels, receiver in [
        ({"alertname": "Watchdog", "severity": "none", "product": "bioagents"}, "watchdog"),
        ({"alertname": "Watchdog", "product": "bioagents", "region": "eu"}, "watchdog"),
        ({"alertname": "Watchdog", "severity": "none"}, "none"),
        ({"alertname": "Watchdog", "severity": "critical", "product": "theirs"}, "none"),
        ({"alertname": "Watchdogs", "severity": "warning", "fleet": "prod"}, "ticket"),
        ({"alertname": "NoActiveWorkers", "severity": "critical", "fleet": "prod"}, "page"),
        ({"alertname": "NoActiveWorkers", "severity": "critical", "fleet": "prod", "region": "eu"}, "page"),
        ({"alertname": "Any", "severity": "critical", "fleet": "none"}, "page"),
        ({"alertname": "Any", "severity": "warning", "fleet": "prod", "queue": "chat"}, "ticket"),
        ({"alertname": "Any", "severity": "warning", "fleet": "prod", "queue": ODD_NAME}, "ticket"),
        ({"alertname": "Any", "severity": "info", "fleet": "prod", "worker": "w"}, "none"),
        ({"alertname": "Any", "severity": "unknown", "fleet": "prod"}, "ticket"),
        ({"alertname": "Any", "fleet": "prod"}, "ticket"),
        ({"alertname": "SomebodyElses"}, "ticket"),
        ({"alertname": "SomebodyElses", "severity": "info"}, "ticket"),
        ({"alertname": "SomebodyElses", "severity": "critical"}, "page"),
    ]:
        assert _receiver(config, labels) == receiver, labels
