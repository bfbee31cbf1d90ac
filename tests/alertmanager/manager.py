"""A real Alertmanager that gets alerts through its API, as Prometheus sends them."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from alertmanager.inbox import Inbox, inbox
from bioagents_alerts import alertmanager_file, write_alertmanager
from bioagents_alerts.files import scale_alertmanager
from support.monitoring import Alertmanager, get
from support.programs import Release
from support.rule_files import alerts

Labels = dict[str, str]

FACTOR: Final = 60  # of all waits: a page leaves after 0.3 s, a ticket after 0.5 s
ALERTS_FOLDER: Final = alertmanager_file().parent
SECRETS: Final = "/etc/alertmanager/secrets"
SEVERITIES: Final = {alert.name: alert.rule["labels"]["severity"] for alert in alerts()}


def alert(name: str, fleet: str = "prod", /, **labels: str) -> Labels:
    """The labels of an alert of ours, with the severity that its rule gives it."""
    severity = SEVERITIES.get(name, "warning")
    return {"alertname": name, "fleet": fleet, "job": "bioagents", "severity": severity, **labels}


def tell(
    manager: Alertmanager,
    alerts: Sequence[Labels],
    *,
    annotations: Mapping[str, str] | None = None,
    resolved: bool = False,
    minutes_ago: float = 0,
) -> None:
    """Post alerts that fire, since ``minutes_ago``, or that have just ended."""
    now = datetime.now(UTC)
    start = now - timedelta(minutes=1 if resolved else minutes_ago)
    end = now if resolved else now + timedelta(minutes=10)
    body = [
        {
            "labels": labels,
            "annotations": annotations or {},
            "startsAt": start.isoformat(),
            "endsAt": end.isoformat(),
        }
        for labels in alerts
    ]
    request = urllib.request.Request(
        f"{manager.url}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def silenced(manager: Alertmanager) -> list[tuple[Labels, bool]]:
    """The alerts that it knows, and whether another one inhibits each."""
    known: list[dict[str, Any]] = json.loads(get(f"{manager.url}/api/v2/alerts"))
    return [(found["labels"], bool(found["status"]["inhibitedBy"])) for found in known]


@contextmanager
def default_manager(folder: Path, release: Release = "stable") -> Iterator[tuple[Alertmanager, Inbox]]:
    """The configuration that ships, with its waits divided, and what its webhooks receive."""
    with (
        inbox() as received,
        running(folder, write_alertmanager(folder, received.url, FACTOR), release) as manager,
    ):
        yield manager, received


@contextmanager
def running(folder: Path, config: Path, release: Release = "stable") -> Iterator[Alertmanager]:
    """An Alertmanager with this configuration."""
    manager = Alertmanager(folder, config, release=release)
    try:
        yield manager
    finally:
        manager.stop()


def with_receivers(name: str, folder: Path) -> Path:
    """``alertmanager.yml`` with the receivers of an example, and the templates next to it."""
    head, marker, _ = alertmanager_file().read_text(encoding="utf-8").partition("\nreceivers:\n")
    assert marker
    shutil.copytree(ALERTS_FOLDER / "templates", folder / "templates", dirs_exist_ok=True)
    config = folder / "alertmanager.yml"
    example = (ALERTS_FOLDER / name).read_text(encoding="utf-8")
    config.write_text(f"{head}\n{example}", encoding="utf-8")
    return config


def load(config: Path) -> Any:  # noqa: ANN401 - YAML
    """A configuration, its waits divided."""
    return scale_alertmanager(yaml.safe_load(config.read_text(encoding="utf-8")), FACTOR)


def save(config: Path, document: object) -> Path:
    """Write it back."""
    config.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return config
