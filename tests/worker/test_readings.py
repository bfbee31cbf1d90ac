"""No reading that fails stops the others, the counts or the heartbeat."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dramatiq
import psutil
import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.settings import Secret, Settings
from bioagents_worker import _events as events
from bioagents_worker import _resources as resources
from bioagents_worker._events import Recorder, ThreadLocal
from bioagents_worker._flusher import Flusher
from bioagents_worker._heartbeat import Heartbeat
from bioagents_worker._tally import Tally
from bioagents_worker.wire import ERROR_CAUSES, OTHER, READINGS
from support.redis_server import RedisServer
from support.snapshots import Series, published

#: What a container's file system may return: the file, and bytes that belong to nothing.
STRAY = b"MemTotal:       16384 kB\n\x00\xff\xfe\n"


def fail(*_: object, **__: object) -> Any:  # noqa: ANN401 - it never returns
    raise ValueError("unreadable")


class NoNames(dict[str, Any]):
    """A dictionary of which only the values can be read."""

    __iter__ = fail


Break = Callable[[pytest.MonkeyPatch, dramatiq.Worker], object]

#: Reading → how to make it fail, and the metrics that are then absent.
BREAKS: dict[str, tuple[Break, set[str]]] = {
    "host": (lambda patch, _: patch.setattr(socket, "gethostname", fail), set()),
    "queues": (lambda patch, worker: patch.setattr(worker, "consumers", NoNames(worker.consumers)), set()),
    "threads": (
        lambda patch, worker: patch.setattr(worker, "workers", None),
        {"worker_slots", "worker_threads", "queue_slots", "queue_load_ratio"},
    ),
    "consumers": (
        lambda patch, worker: patch.setattr(worker.consumers["default"], "is_alive", fail),
        {"worker_consumer_threads"},
    ),
    "memory": (
        lambda patch, _: patch.setattr(psutil.Process, "memory_info", fail), {"worker_memory_rss_bytes"},
    ),
    "memory_limit": (
        lambda patch, _: patch.setattr(psutil, "virtual_memory", fail),
        {"worker_memory_limit_bytes"},
    ),
    "cpu": (lambda patch, _: patch.setattr(psutil.Process, "cpu_times", fail), {"worker_cpu_seconds_total"}),
    "held_jobs": (lambda patch, worker: patch.setattr(worker, "work_queue", None), set()),
}  # fmt: skip


class Stage:
    """A worker whose flusher makes its steps one by one, and a reader of the fleet."""

    def __init__(self, broker: RedisBroker, server: RedisServer) -> None:
        recorder, self.tally = Recorder(), Tally(broker.actors)
        self.worker = dramatiq.Worker(broker, worker_threads=2)
        self.flusher = Flusher(broker, recorder, self.tally, min_interval=0.01)
        self.local = ThreadLocal(recorder)
        self.reader = Reader(Settings(redis_url=Secret(server.url)))
        self.flusher.become_worker(Heartbeat(broker, self.worker, self.tally, version="v1"))

    def job(self) -> None:
        """A job, and the report that counts it."""
        self.local.append((events.START, time.monotonic_ns(), "default", "act", "id", 0, 0))
        self.local.append((events.END, time.monotonic_ns(), None, False))
        time.sleep(0.02)  # the shortest interval between two calls
        self.flusher.step()

    def published(self) -> dict[str, Series]:
        """What the exporter publishes."""
        return published(self.reader.read())


@pytest.fixture
def stage(broker: RedisBroker, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(resources, "_MAX_AGE", 0)
    dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    stage = Stage(broker, redis_server)
    # As a started Worker has it; a started one would take the jobs itself.
    stage.worker.consumers["default"] = dramatiq.worker._ConsumerThread(
        broker=broker, queue_name="default", prefetch=1, work_queue=stage.worker.work_queue, worker_timeout=50
    )
    stage.flusher.step()  # learns the epoch
    stage.job()
    yield stage
    stage.flusher._link.close()
    stage.reader.close()


def test_every_reading_has_a_case() -> None:
    """A new reading must be added here."""
    assert BREAKS.keys() == READINGS.keys()


@pytest.mark.parametrize("reading", BREAKS)
def test_what_cannot_be_read_is_absent_and_nothing_else(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reading: str
) -> None:
    """Counts and heartbeat go on; each report counts one error with its cause, and the log has one line."""
    before = stage.published()
    broken, absent = BREAKS[reading]
    broken(monkeypatch, stage.worker)
    for _ in range(3):
        stage.job()
    after = stage.published()
    key = (stage.flusher.id,)
    assert {name for name in before if len(after[name]) < len(before[name])} == absent
    assert after["worker_jobs_total"][key] == after["jobs_processed_total"]["default", "act"] == 4
    seen = "worker_last_heartbeat_timestamp_seconds"
    assert after[seen][key] > before[seen][key]
    assert after["queue_workers"] == before["queue_workers"] == {("default",): 1}
    errors = {cause: n for (cause,), n in after["middleware_errors_total"].items() if n}
    assert errors[reading] == 3
    assert len([line for line in caplog.messages if f"cannot read {reading} " in line]) == 1


def test_every_cause_has_a_series_from_the_start(stage: Stage) -> None:
    """At 0, so that a rate sees the first error."""
    assert stage.published()["middleware_errors_total"] == dict.fromkeys(
        [(cause,) for cause in (*ERROR_CAUSES, OTHER)], 0
    )


def test_an_event_that_cannot_be_counted_does_not_stop_the_others(stage: Stage) -> None:
    """Those of its own thread included."""
    stage.local.append((events.START,))
    stage.job()
    found = stage.published()
    assert found["jobs_processed_total"]["default", "act"] == 2
    assert found["middleware_errors_total"]["events",] == 1


@pytest.mark.parametrize("part", ["run", "claim"])
def test_an_error_in_the_sweep_stops_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Neither the counts nor the heartbeat, whatever the error is."""
    monkeypatch.setattr(stage.flusher._sweep, part, fail)
    stage.flusher._last_sweep, stage.flusher._sweep.watching = float("-inf"), True
    stage.job()
    stage.job()
    found = stage.published()
    assert found["jobs_processed_total"]["default", "act"] == 3
    assert found["middleware_errors_total"]["sweep" if part == "run" else "redelivery",] >= 1


def test_stray_bytes_in_proc_meminfo(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As container file systems show it: psutil raises, and only the memory limit is unknown."""
    for name in ("stat", str(os.getpid())):
        (tmp_path / name).symlink_to(Path("/proc") / name)
    (tmp_path / "meminfo").write_bytes(STRAY)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    stage.job()
    found = stage.published()
    assert found["jobs_processed_total"]["default", "act"] == 2
    assert found["queue_workers"] == {("default",): 1}
    assert (len(found["worker_memory_rss_bytes"]), len(found["worker_memory_limit_bytes"])) == (1, 0)
    assert {cause for (cause,), n in found["middleware_errors_total"].items() if n} == {"memory_limit"}
