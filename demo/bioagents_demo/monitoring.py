"""Prometheus and Alertmanager, where they are installed, with our rules at the demo's pace."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from bioagents_alerts import write_alertmanager, write_prometheus, write_rules
from bioagents_demo.addresses import Address
from bioagents_demo.pace import ALERT_FACTOR
from bioagents_demo.servers import answers
from bioagents_demo.stage import Command, Stage

_SCRAPE_INTERVAL = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What runs; None: not installed."""

    prometheus: Address | None = None
    alertmanager: Address | None = None


def start_monitoring(stage: Stage, exporter: Address, webhook_url: str) -> Monitoring:
    """Start what is on the PATH: Prometheus, and Alertmanager if there is a Prometheus to feed it."""
    prometheus = shutil.which("prometheus")
    # Debian calls it prometheus-alertmanager.
    alertmanager = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    if not prometheus:
        return Monitoring()
    at = _start_alertmanager(stage, alertmanager, webhook_url) if alertmanager else None
    return Monitoring(_start_prometheus(stage, prometheus, exporter, at), at)


def _start_alertmanager(stage: Stage, program: str, webhook_url: str) -> Address:
    address, folder = Address.free(), stage.folder / "alertmanager"
    config = write_alertmanager(folder, webhook_url, ALERT_FACTOR)
    args = (f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address=")
    command = Command("alertmanager", (program, *args, f"--web.listen-address={address}"))
    stage.start(command).wait_until(lambda: answers(f"{address.url}/-/ready"))
    return address


def _start_prometheus(stage: Stage, program: str, exporter: Address, alertmanager: Address | None) -> Address:
    address, folder = Address.free(), stage.folder / "prometheus"
    config = write_prometheus(
        folder,
        [str(exporter.reachable)],
        write_rules(folder / "rules", ALERT_FACTOR),
        [str(alertmanager)] if alertmanager else [],
        _SCRAPE_INTERVAL,
    )
    args = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}")
    command = Command("prometheus", (program, *args, f"--web.listen-address={address}"))
    stage.start(command).wait_until(lambda: answers(f"{address.url}/-/ready"))
    return address
