"""A day of a large fleet as Prometheus would have scraped and recorded it, written by remote write.

Every metric of the catalogue and every series that the rules record, with the labels that they have. Values
only have to be plausible: what a query costs depends on how many series and samples it reads.
"""

from __future__ import annotations

import functools
import itertools
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from bioagents_alerts import rules_folder
from bioagents_alerts.promql import RECORDED_GAUGES, labels_of
from bioagents_exporter.catalogue import METRICS, Metric
from bioagents_worker.wire import BUCKETS
from harness import remote_write

Labels = dict[str, str]

DAY: Final = 24 * 3600
#: Samples of a series in one request: half an hour, so that no series is an hour behind the newest sample.
CHUNK: Final = 30
#: The number of different value curves of one metric.
COURSES: Final = 7
_TARGET: Final = {"job": "bioagents", "fleet": "dramatiq"}
_COPY: Final = {"instance": "exporter-1:9877"}
_EXCEPTIONS: Final = ("TimeoutError", "ModelOverloaded", "ContextTooLong", "(other)")
#: Recorded series that are a gauge as one value of all copies → the labels that the gauge keeps.
_OF_GAUGES: Final = {
    record: tuple(label for label in labels_of(gauge.partition("{")[0]) if f"{label}=" not in gauge)
    for gauge, record in RECORDED_GAUGES.items()
}
#: A series that does not exist in a healthy fleet.
_RARE: Final = "worker:bioagents_worker_memory_leak:deriv6h"
#: Metrics with the same value all day.
_CONSTANT: Final = {
    "_info": 1.0, "_up": 1.0, "_success": 1.0, "_threads": 8.0, "_slots": 8.0, "_limit": 100.0,
    "_limit_seconds": 300.0, "_limit_bytes": 4e9, "_min_workers": 2.0, "_max_workers": 40.0, "_workers": 20.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HistoryShape:
    """The size of a fleet; at midday all workers are replaced by a new version."""

    workers: int
    queues: int
    end: int  # unix time, seconds
    scrape: int = 60  # seconds between two samples

    @property
    def start(self) -> int:
        return self.end - DAY


@dataclass(frozen=True, slots=True)
class SampledSeries:
    """One time series: its encoded labels, and its curve."""

    labels: bytes
    name: str
    course: int
    rank: float  # of a bucket: the share of the observations within it
    generation: int | None  # of its worker; None: it exists all day


def write(fleet: HistoryShape, prometheus: str) -> int:
    """Write the whole day; return the number of series."""
    everything = list(all_series(fleet))
    chunk = CHUNK * fleet.scrape
    for begin in range(fleet.start, fleet.end, chunk):
        times = range(begin, min(begin + chunk, fleet.end + 1), fleet.scrape)
        generation = int(begin - fleet.start >= DAY // 2)
        samples = functools.cache(functools.partial(_samples, tuple(times)))
        living = (one for one in everything if one.generation in (None, generation))
        while batch := list(itertools.islice(living, 5000)):
            remote_write.send(
                prometheus,
                (remote_write.series(one.labels, samples(one.name, one.course, one.rank)) for one in batch),
            )
    return len(everything)


def all_series(fleet: HistoryShape) -> Iterator[SampledSeries]:
    """Scraped series, recorded series, alerts."""
    for metric in METRICS:
        for labels in _label_sets(metric.labels, fleet):
            yield from _of_metric(metric, {**_TARGET, **_COPY, **labels})
    rules = _rules()
    for name in sorted({rule["record"] for rule in rules if "record" in rule}):
        if name == _RARE:
            continue
        for labels in _label_sets(recorded_labels(name), fleet):
            if name.endswith("_bucket:rate5m"):
                yield from _buckets(name, {**_TARGET, **labels})
            else:
                yield _one(name, {**_TARGET, **labels})
    yield _one(
        "ALERTS",
        {"alertname": "Watchdog", "product": "bioagents", "severity": "none", "alertstate": "firing"},
    )
    faults = (rule for rule in rules if "alert" in rule and rule["labels"]["severity"] != "none")
    for number, alert in enumerate(faults):
        labels = {**_TARGET, **alert["labels"], "alertname": alert["alert"], "queue": f"queue-{number:03}"}
        yield _one("ALERTS", {**labels, "alertstate": "firing"})
        yield _one("ALERTS_FOR_STATE", labels)


def _rules() -> list[dict[str, Any]]:
    files = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(rules_folder().glob("*.yml"))
    ]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def recorded_labels(name: str) -> tuple[str, ...]:
    """The labels of a recorded series: those of its gauge, or by the level in front of its name."""
    if name in _OF_GAUGES:
        return _OF_GAUGES[name]
    level, what, _ = name.split(":")
    own = {
        "queue": ("queue",),
        "actor": ("queue", "actor"),
        "exception": ("queue", "actor", "exception"),
        "fleet": (),
        "host": ("host",),
        "role": ("queues", "version", "threads") if what.endswith("_info") else ("queues",),
        "worker": ("worker",) if what.endswith("_queues") else ("worker", "host", "pid", "queues"),
    }
    return own[level]


def _of_metric(metric: Metric, labels: Labels) -> Iterator[SampledSeries]:
    name = metric.full_name("bioagents_")
    if metric.type != "histogram":
        yield _one(name, labels)
        return
    yield from _buckets(f"{name}_bucket", labels)
    yield _one(f"{name}_sum", labels)
    yield _one(f"{name}_count", labels)


def _buckets(name: str, labels: Labels) -> Iterator[SampledSeries]:
    bounds = [*(str(float(bound)) for bound in BUCKETS), "+Inf"]
    for place, bound in enumerate(bounds):
        yield _one(name, {**labels, "le": bound}, rank=(place + 1) / len(bounds), of=labels)


def _one(name: str, labels: Labels, *, rank: float = 1.0, of: Labels | None = None) -> SampledSeries:
    course = zlib.crc32(repr(sorted((of or labels).items())).encode()) % COURSES
    generation = int(labels["worker"][0]) if "worker" in labels else None
    return SampledSeries(
        remote_write.encode_labels({"__name__": name, **labels}), name, course, round(rank, 4), generation
    )


def _label_sets(names: tuple[str, ...], fleet: HistoryShape) -> Iterator[Labels]:
    """Every existing combination of values."""
    if "worker" in names:
        for worker in _workers(fleet):
            yield {name: worker[name] for name in names}
    elif "queues" in names:
        yield from _distinct({name: worker[name] for name in names} for worker in _workers(fleet))
    else:
        values = {
            "queue": [f"queue-{i:03}" for i in range(fleet.queues)],
            "actor": [""],
            "state": ["waiting", "active", "delayed", "dead"],
            "exception": _EXCEPTIONS,
            "host": sorted({worker["host"] for worker in _workers(fleet)}),
            "source": ["redis", "server", "queues", "audit", "jobs", "fleet", "workers", "signals", "limits"],
        }
        for combination in itertools.product(*(values.get(name, [f"a-{name}"]) for name in names)):
            yield from _with_actors(dict(zip(names, combination, strict=True)))


def _with_actors(labels: Labels) -> Iterator[Labels]:
    """Two actors for each queue."""
    if "actor" not in labels:
        yield labels
        return
    for verb in ("answer", "revise"):
        yield {**labels, "actor": f"{verb}_{labels['queue']}"}


def _workers(fleet: HistoryShape) -> Iterator[Labels]:
    """Eight on each host, of fifty roles; the first digit of an id is its generation."""
    for generation, number in itertools.product(range(2), range(fleet.workers)):
        role = number % (fleet.queues // 2)
        yield {
            "worker": f"{generation}{number:031x}", "host": f"worker-host-{number // 8:03}",
            "pid": str(1000 + number % 8 + 100 * generation), "version": f"2026.11.{generation + 1}",
            "queues": f"queue-{2 * role:03},queue-{2 * role + 1:03}", "threads": "8",
            "dramatiq": "2.2.1", "python": "3.11.7", "monitor": "0.1.0",
        }  # fmt: skip


def _distinct(found: Iterator[Labels]) -> Iterator[Labels]:
    yield from {repr(labels): labels for labels in found}.values()


def _samples(times: tuple[int, ...], name: str, course: int, rank: float) -> bytes:
    values = [_value(name, course, rank, time) for time in times]
    return remote_write.encode_samples([time * 1000 for time in times], values)


def _value(name: str, course: int, rank: float, time: int) -> float:
    """A value of a counter, of a timestamp, or of a gauge, which goes up and down."""
    wave = 1 + math.sin(time / 3000 + course) / 2
    if ":" not in name and name.endswith(("_total", "_bucket", "_count", "_sum")):
        return (time - 1.7e9) * (1 + course / COURSES) * rank // 10
    if name == "bioagents_worker_last_heartbeat_timestamp_seconds":
        return float(time)
    if name.endswith(("_time_seconds", "ALERTS_FOR_STATE")):
        return float(time - DAY)
    constant = next((value for ending, value in _CONSTANT.items() if name.endswith(ending)), None)
    if constant is not None:
        return constant
    if "ratio" in name or name.endswith(("_skew_seconds", "_flush_age_seconds", "_lost:sum")):
        return wave / 100  # no value is near a limit
    return (2e8 if "memory" in name and name.endswith("bytes") else 10 * rank) * wave
