"""Runs the queries of Grafana on Prometheus and measures their time."""

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

#: Seconds between two points of a graph: Grafana's step for a day with about a thousand points.
STEP: Final = 90
#: Timeout of a query in seconds, as Prometheus' default.
_PATIENCE: Final = 120


@dataclass(frozen=True, slots=True)
class Cost:
    """The times of one query in seconds."""

    wall: float
    cpu: float  # of Prometheus; varies less on a busy machine


@dataclass(frozen=True, slots=True)
class Asker:
    """Queries on one Prometheus that has one day of a fleet."""

    url: str
    pid: int
    fleet: HistoryShape

    def graph(self, expression: str, step: int = STEP) -> Cost:
        """A range query over the day."""
        begin, end = self.fleet.start, self.fleet.end
        return self._cost("query_range", query=self._filled(expression), start=begin, end=end, step=step)

    def table(self, expression: str) -> Cost:
        """An instant query at the end of the day."""
        return self._cost("query", query=self._filled(expression), time=self.fleet.end)

    def values(self, expression: str, label: str) -> Cost:
        """The values of a label, for a variable."""
        begin, end = self.fleet.start, self.fleet.end
        parameters: dict[str, object] = {"match[]": self._filled(expression), "start": begin, "end": end}
        return self._cost(f"label/{label}/values", **parameters)

    def labels(self, expression: str) -> list[dict[str, str]]:
        """The series at the end of the day."""
        answer = json.loads(self._get("query", query=expression, time=self.fleet.end))
        return [one["metric"] for one in answer["data"]["result"]]

    def _filled(self, expression: str) -> str:
        interval = max(4 * self.fleet.scrape, STEP + self.fleet.scrape)  # as Grafana's $__rate_interval
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
