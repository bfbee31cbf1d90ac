"""The Alertmanager configuration, by amtool's verdict and by what it may not hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from bioagents_alerts import alertmanager_file, write_alertmanager
from support.programs import require

# Keys under which a secret itself, not the name of its file, would stand.
INLINE = {"password", "credentials", "bearer_token", "api_url", "api_key", "routing_key", "service_key"}
INLINE |= {"slack_api_url", "smtp_auth_password", "smtp_auth_secret", "opsgenie_api_key", "auth_password"}


def _amtool(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([require("amtool"), *args], capture_output=True, text=True, check=False)


def _keys(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(_keys(value) for value in node.values()))
    return set().union(*(_keys(item) for item in node)) if isinstance(node, list) else set()


@pytest.fixture(params=[None, 1.0, 60.0], ids=["shipped", "written", "scaled"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file that ships, and the copies that are made of it."""
    if request.param is None:
        return alertmanager_file()
    return write_alertmanager(tmp_path, "http://127.0.0.1:9/hook", request.param)


def test_amtool_accepts_it(config: Path) -> None:
    """`amtool check-config`."""
    result = _amtool("check-config", config)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=NoActiveWorkers", "severity=critical", "fleet=prod"), "page"),
        (("alertname=HighQueueDepth", "severity=warning", "fleet=prod", "queue=chat"), "ticket"),
        (("alertname=HighJobFailureRate", "severity=warning", "fleet=prod"), "ticket"),
        (("alertname=SomebodyElses",), "ticket"),
    ],
)
def test_each_alert_reaches_its_receiver(config: Path, labels: tuple[str, ...], receiver: str) -> None:
    """`amtool config routes test`: critical is a page, all else a ticket."""
    result = _amtool(
        "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}", *labels
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_secret_stands_in_the_file() -> None:
    """Secrets come from files, and an address carries none."""
    text = alertmanager_file().read_text(encoding="utf-8")
    assert not _keys(yaml.safe_load(text)) & INLINE
    assert "@" not in text
    assert "?" not in text


def test_a_copy_posts_everything_to_one_address(tmp_path: Path) -> None:
    """And no longer to the placeholders of the shipped file."""
    written = write_alertmanager(tmp_path / "new", "http://127.0.0.1:9/hook")
    receivers = yaml.safe_load(written.read_text(encoding="utf-8"))["receivers"]
    urls = {webhook["url"] for receiver in receivers for webhook in receiver.get("webhook_configs", [])}
    assert urls == {"http://127.0.0.1:9/hook"}
