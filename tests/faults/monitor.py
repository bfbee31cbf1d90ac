"""One Prometheus and one Alertmanager that watch many fleets, which come and go."""

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
    """A notice, and when the webhook had it."""

    notice: Notice
    at: float  # monotonic seconds

    @property
    def alert(self) -> Labels:
        """What tells this alert from all others."""
        return frozenset(self.notice.labels.items())


class Monitor:
    """The rules that ship, their durations divided by ``factor``; a fleet is known by its label ``cluster``.

    Every fleet is named alike: what keeps them apart is a label of the target, as it is for a person who runs
    the same application in several clusters.
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
        """Scrape these exporters of a fleet, and no others; return when it is so."""
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
        """Scrape a fleet no longer."""
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
        """The alerts that the webhook heard of."""
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
        """What the webhook was told of one fleet; ``""`` is what belongs to none."""
        with self._lock:
            new = self._webhook.notices[len(self._receipts) :]
            self._receipts += [Receipt(notice, time.monotonic()) for notice in new]
            return [
                receipt for receipt in self._receipts if receipt.notice.labels.get("cluster", "") == cluster
            ]

    def is_told(self, cluster: str, name: str) -> bool:
        """Whether the webhook heard that this alert fires."""
        return any(
            (receipt.notice.name, receipt.notice.status) == (name, "firing")
            for receipt in self.receipts(cluster)
        )

    def told_at(self, cluster: str, name: str) -> float:
        """When the webhook first heard that this alert fires, in monotonic seconds."""
        return next(
            receipt.at
            for receipt in self.receipts(cluster)
            if (receipt.notice.name, receipt.notice.status) == (name, "firing")
        )

    def is_over(self, cluster: str, besides: Sequence[str] = ()) -> bool:
        """Whether everything that fired was resolved, besides these alerts."""
        receipts = [found for found in self.receipts(cluster) if found.notice.name not in besides]
        last = {receipt.alert: receipt.notice.status for receipt in receipts}
        firing = {name for name, state in self.active(cluster).items() if state == "firing"}
        return set(last.values()) <= {"resolved"} and firing <= set(besides)
