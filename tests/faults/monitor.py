"""One Prometheus and one Alertmanager that monitor many fleets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from bioagents_alerts import write_alertmanager, write_prometheus, write_rules
from support.monitoring import Alertmanager, Notice, Prometheus, Webhook
from support.polling import wait_until

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A notification, and when the webhook received it."""

    notice: Notice
    at: float  # monotonic seconds

    @property
    def alert(self) -> Labels:
        """The labels that identify this alert."""
        return frozenset(self.notice.labels.items())


class Monitor:
    """The shipped rules, their durations scaled by ``factor``.

    All fleets have the same name; the label ``cluster`` of their targets distinguishes them, as for a user
    who runs the same application in several clusters.
    """

    def __init__(self, folder: Path, *, factor: float, cleanup: ExitStack) -> None:
        self.factor = factor
        self._folder, self._lock = folder, threading.Lock()
        self._targets: dict[str, list[str]] = {}
        self._receipts: list[Receipt] = []
        folder.mkdir()
        self._webhook = Webhook()
        cleanup.callback(self._webhook.stop)
        self.alertmanager = Alertmanager(folder, write_alertmanager(folder, self._webhook.url, factor=factor))
        cleanup.callback(self.alertmanager.stop)
        self._write_targets()
        self.prometheus = Prometheus(folder, self._config())
        cleanup.callback(self.prometheus.stop)

    def _config(self) -> Path:
        rules = write_rules(self._folder / "rules", factor=self.factor)
        interval = max(1.0, 15 / self.factor)
        path = write_prometheus(self._folder, [], rules, [self.alertmanager.address], interval)
        config = yaml.safe_load(path.read_text())
        found = [{"files": [str(self._folder / "targets.json")], "refresh_interval": "1s"}]
        config["scrape_configs"] = [{"job_name": "bioagents", "file_sd_configs": found}]
        path.write_text(yaml.safe_dump(config))
        return path

    def watch(self, cluster: str, addresses: Sequence[str]) -> None:
        """Scrape these exporters of a fleet and no others of it; return when all are up."""
        with self._lock:
            self._targets[cluster] = list(addresses)
            self._write_targets()
        wait_until(lambda: self._up(cluster) == set(addresses), timeout=120, what=f"scrapes of {cluster}")

    def _up(self, cluster: str) -> set[str]:
        return {
            target["labels"]["instance"]
            for target in self.prometheus.targets()
            if target["labels"]["cluster"] == cluster and target["health"] == "up"
        }

    def forget(self, cluster: str) -> None:
        """Stop scraping a fleet."""
        with self._lock:
            self._targets.pop(cluster, None)
            self._write_targets()
        wait_until(
            lambda: all(target["labels"]["cluster"] != cluster for target in self.prometheus.targets()),
            timeout=60, what=f"no more scrapes of {cluster}",
        )  # fmt: skip

    def _write_targets(self) -> None:
        groups = [
            {"targets": addresses, "labels": {"cluster": cluster}}
            for cluster, addresses in self._targets.items()
        ]
        new = self._folder / "targets.new"
        new.write_text(json.dumps(groups))
        new.replace(self._folder / "targets.json")

    def names(self, cluster: str) -> set[str]:
        """The alerts in the notifications of one fleet."""
        return {receipt.notice.name for receipt in self.receipts(cluster)}

    def active(self, cluster: str) -> dict[str, str]:
        """Alert → ``pending`` or ``firing``, of one fleet."""
        alerts = self.prometheus._api("alerts")["alerts"]
        return {
            alert["labels"]["alertname"]: alert["state"]
            for alert in alerts
            if alert["labels"].get("cluster") == cluster
        }

    def receipts(self, cluster: str) -> list[Receipt]:
        """The notifications of one fleet; ``""`` for alerts without a fleet."""
        with self._lock:
            new = self._webhook.notices[len(self._receipts) :]
            self._receipts += [Receipt(notice, time.monotonic()) for notice in new]
            return [
                receipt for receipt in self._receipts if receipt.notice.labels.get("cluster", "") == cluster
            ]

    def has_fired(self, cluster: str, name: str) -> bool:
        """Whether the webhook was notified that this alert fires."""
        return any(
            (receipt.notice.name, receipt.notice.status) == (name, "firing")
            for receipt in self.receipts(cluster)
        )

    def fired_at(self, cluster: str, name: str) -> float:
        """When the webhook was first notified that this alert fires, in monotonic seconds."""
        return next(
            receipt.at
            for receipt in self.receipts(cluster)
            if (receipt.notice.name, receipt.notice.status) == (name, "firing")
        )

    def is_over(self, cluster: str, besides: Sequence[str] = ()) -> bool:
        """Whether all alerts but these have resolved."""
        receipts = [found for found in self.receipts(cluster) if found.notice.name not in besides]
        last = {receipt.alert: receipt.notice.status for receipt in receipts}
        firing = {name for name, state in self.active(cluster).items() if state == "firing"}
        return set(last.values()) <= {"resolved"} and firing <= set(besides)
