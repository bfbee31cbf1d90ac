"""Asks Prometheus what Grafana asks it, and how long that takes."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Final

import psutil

from harness.history import HistoryShape
from support.boards import EVERYTHING, fill

#: Seconds between two points of a graph: what Grafana makes of a day and about a thousand points.
STEP: Final = 90
#: Seconds that a query may take, as Prometheus' own default has it.
_PATIENCE: Final = 120


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one query, in seconds."""

    wall: float
    cpu: float  # of Prometheus; the less disturbed of the two on a busy machine


@dataclass(frozen=True, slots=True)
class Asker:
    """Of one Prometheus and the fleet of which it knows a day."""

    url: str
    pid: int
    fleet: HistoryShape

    def graph(self, expression: str, step: int = STEP) -> Cost:
        """Over the day."""
        begin, end = self.fleet.start, self.fleet.end
        return self._cost("query_range", query=self._filled(expression), start=begin, end=end, step=step)

    def table(self, expression: str) -> Cost:
        """At the day's end."""
        return self._cost("query", query=self._filled(expression), time=self.fleet.end)

    def values(self, expression: str, label: str) -> Cost:
        """Of a label, for a variable."""
        begin, end = self.fleet.start, self.fleet.end
        parameters: dict[str, object] = {"match[]": self._filled(expression), "start": begin, "end": end}
        return self._cost(f"label/{label}/values", **parameters)

    def labels(self, expression: str) -> list[dict[str, str]]:
        """Of each series at the day's end."""
        answer = json.loads(self._get("query", query=expression, time=self.fleet.end))
        return [one["metric"] for one in answer["data"]["result"]]

    def _filled(self, expression: str) -> str:
        interval = max(4 * self.fleet.scrape, STEP + self.fleet.scrape)  # as Grafana chooses it
        return fill(expression, {**EVERYTHING, "__rate_interval": f"{interval}s"})

    def _cost(self, path: str, **parameters: object) -> Cost:
        process = psutil.Process(self.pid)
        before, began = process.cpu_times(), time.perf_counter()
        self._get(path, **parameters)
        wall, after = time.perf_counter() - began, process.cpu_times()
        return Cost(wall, after.user + after.system - before.user - before.system)

    def _get(self, path: str, **parameters: object) -> bytes:
        page = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(page, timeout=_PATIENCE) as answer:  # noqa: S310 - our own server
            return bytes(answer.read())
