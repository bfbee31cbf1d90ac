"""What the demo shows: read from the exporter's ``/metrics``, as every user reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

_DEPTH: Final = "bioagents_queue_depth"

#: Column → metric and the labels that pick its series; the values of one queue are added up.
COLUMNS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "waiting": (_DEPTH, {"state": "waiting"}),
    "delayed": (_DEPTH, {"state": "delayed"}),
    "running": ("bioagents_queue_running_jobs", {}),
    "done": ("bioagents_jobs_succeeded_total", {}),
    "failed": ("bioagents_job_failures_total", {}),
    "retries": ("bioagents_job_retries_total", {}),
    "dead": (_DEPTH, {"state": "dead"}),
    "workers": ("bioagents_queue_workers", {}),
}


@dataclass(frozen=True, slots=True)
class View:
    """One scrape, as rows: queue → column → value. What the exporter did not say is missing."""

    rows: Mapping[str, Mapping[str, float]]
    problem: str = ""  # why there is nothing to show


def scrape(url: str, *, timeout: float = 2.0) -> View:
    """Read ``url``; never raises for a server that does not answer as it should."""
    try:
        with urlopen(url, timeout=timeout) as answer:  # noqa: S310 - the demo's own http address
            return view_of(answer.read().decode())
    except (URLError, OSError, HTTPException, ValueError) as error:
        return View({}, f"{url}: {error}")


def view_of(exposition: str) -> View:
    """The rows of an exposition; ValueError when it cannot be parsed."""
    rows: dict[str, dict[str, float]] = {}
    wanted = {metric for metric, _ in COLUMNS.values()}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            queue = sample.labels.get("queue")
            if queue is not None and sample.name in wanted:
                _add(rows.setdefault(queue, {}), sample.name, sample.labels, sample.value)
    return View(dict(sorted(rows.items())))


def _add(row: dict[str, float], name: str, labels: Mapping[str, str], value: float) -> None:
    for column, (metric, picked) in COLUMNS.items():
        if metric == name and all(labels.get(label) == text for label, text in picked.items()):
            row[column] = row.get(column, 0.0) + value
