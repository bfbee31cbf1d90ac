"""What happens when Redis, a replica or one of our own parts fails."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from bioagents_exporter.catalogue import METRICS
from bioagents_exporter.derive import Memory, sample, trouble
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import Settings
from support.snapshots import (
    SERVER,
    published,
    queue,
    reference_families,
    reference_fleet,
    snapshot,
    totals,
    worker,
)

ALWAYS = ("exporter_", "process_", "python_info")
DOWN = Snapshot(None, 0.0, errors={"redis_unreachable": 1}, failure="Redis 127.0.0.1:1: connection refused")


def of_redis(found: dict[str, Any]) -> dict[str, Any]:
    """Everything but the exporter's own metrics."""
    return {name: series for name, series in found.items() if not name.startswith(ALWAYS)}


def test_without_redis_there_is_nothing_but_that() -> None:
    """Neither old numbers nor zeros that were not read."""
    memory = Memory()
    published(reference_fleet(), memory=memory)
    found = published(DOWN, memory=memory, now=1_060.0)
    assert of_redis(found) == {"redis_up": {(): 0}}
    assert found["exporter_scrape_errors_total"]["redis_unreachable",] == 1
    assert found["exporter_source_success"]["redis",] == found["exporter_source_success"]["jobs",] == 0
    assert found["exporter_source_success"]["process",] == 1
    assert found["exporter_source_age_seconds"]["jobs",] == 60


def test_a_replica_without_its_primary_is_a_failed_source() -> None:
    """Its numbers are out of date."""
    cut = replace(SERVER, role="slave", link_up=False, lag=70.0)
    found = published(snapshot(server=cut, queues=(queue("chat"),)))
    assert of_redis(found) == {
        "redis_up": {(): 0},
        "redis_round_trip_seconds": {(): 0.0005},
        "redis_replica_link_up": {(): 0},
        "redis_replica_lag_seconds": {(): 70.0},
    }
    assert found["exporter_scrape_errors_total"]["redis_replica_stale",] == 1


def test_a_server_that_loads_its_data_is_a_failed_source() -> None:
    """Its data is not complete yet."""
    loading = snapshot(server=replace(SERVER, loading=True), queues=(queue("chat"),))
    assert published(loading)["redis_up"] == {(): 0}
    assert "queue_depth" not in published(loading)
    assert trouble(loading)
    assert not trouble(snapshot())


def test_no_sample_is_taken_of_a_source_that_failed() -> None:
    """The window would show a backlog that was not read."""
    memory = Memory()
    sample(DOWN, memory, Settings(), 1.0)
    sample(snapshot(server=replace(SERVER, link_up=False), queues=(queue("chat"),)), memory, Settings(), 2.0)
    assert memory.window._tracks == {}
    assert published(snapshot(), memory=memory)["exporter_source_success"]["window",] == 0


def test_a_bug_in_one_part_hides_no_other_numbers(caplog: pytest.LogCaptureFixture) -> None:
    """It is counted each time and logged once, as is its end."""
    memory, good = Memory(), worker("w")
    broken = replace(good, state=None)  # type: ignore[arg-type] # as a bug of ours would
    parts: Any = {"queues": (queue("chat"),), "totals": (totals("chat", {"dead|a": 1}),)}
    with caplog.at_level(logging.INFO, logger="bioagents_exporter"):
        for _ in range(3):
            found = published(snapshot(workers=(broken,), **parts), memory=memory)
        assert published(snapshot(workers=(good,), **parts), memory=memory)["queue_workers"] == {("chat",): 1}
    assert {name for (name,), ok in found["exporter_source_success"].items() if not ok} == {
        "fleet",
        "workers",
    }
    assert found["exporter_scrape_errors_total"]["derive",] == 6
    assert found["queue_depth"]
    assert found["queue_depth_limit"]
    assert found["jobs_dead_total"] == {("chat", "a"): 1}
    assert "queue_workers" not in found
    assert all(record.exc_info for record in caplog.records if record.levelname == "ERROR")
    assert sorted(record.message for record in caplog.records) == [
        "source_failed source=fleet trouble=AttributeError",
        "source_failed source=workers trouble=AttributeError",
        "source_recovered source=fleet",
        "source_recovered source=workers",
    ]


def test_a_cut_replica_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """State changes are logged, not every scrape."""
    memory, cut = Memory(), snapshot(server=replace(SERVER, role="slave", link_up=False))
    with caplog.at_level(logging.INFO, logger="bioagents_exporter"):
        for read in (cut, cut, snapshot(), snapshot()):
            published(read, memory=memory)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_what_the_reader_left_out_is_counted() -> None:
    """At each scrape, by cause; every cause exists at 0 before."""
    memory, read = Memory(), snapshot(errors={"wrong_type": 2, "a cause of tomorrow": 1})
    assert published(snapshot(), memory=memory)["exporter_scrape_errors_total"]["wrong_type",] == 0
    published(read, memory=memory)
    errors = published(read, memory=memory)["exporter_scrape_errors_total"]
    assert (errors["wrong_type",], errors["a cause of tomorrow",], errors["derive",]) == (4, 2, 0)


def test_others_count_their_errors_too() -> None:
    """The server's own, and how long the last scrape took."""
    memory = Memory()
    assert "exporter_scrape_duration_seconds" not in published(snapshot(), memory=memory)
    memory.error("timeout")
    memory.scraped(0.25)
    found = published(snapshot(), memory=memory)
    assert found["exporter_scrape_errors_total"]["timeout",] == 1
    assert found["exporter_scrape_duration_seconds"] == {(): 0.25}


def test_every_source_reports_its_duration() -> None:
    """Measured by the memory's clock."""
    ticks = iter(range(1_000))
    found = published(snapshot(), memory=Memory(clock=lambda: float(next(ticks))))
    assert found["exporter_source_duration_seconds"]["queues",] == 1
    assert found["exporter_source_duration_seconds"]["redis",] == 0.0005


def test_a_busy_fleet_shows_every_metric_of_the_catalogue() -> None:
    """With the labels that the catalogue has, and with numbers only."""
    families = reference_families()
    assert {family.metric for family in families if family.keys} == set(METRICS)
    for family in families:
        labels, optional = len(family.metric.labels), len(family.metric.optional)
        assert all(labels <= len(key) <= labels + optional for key in family.keys)
        assert {type(value) for value in family.values} <= {int, float}
