"""SIGKILL of a worker: what is lost, and which jobs are redelivered."""

from __future__ import annotations

import re
import time
from pathlib import Path

from record import expected
from recorded_fleet import RecordedFleet, recorded_fleet

from bioagents_worker.wire import split_beat
from support.polling import wait_until
from support.redis_server import RedisServer

BEATS = "bioagents:{dramatiq}:v1:beats"


def some_calls(fleet: RecordedFleet) -> float:
    """Wait for three calls of the only worker; the time of the one before, which all their counts are after.

    Counts of a call were made before it, so the later calls have sent all that had happened by then.
    """

    def last_call() -> int:
        (beat,) = fleet.client().hvals(BEATS)
        return split_beat(beat)[0]

    first = seen = last_call()
    for _ in range(3):
        seen = wait_until(lambda before=seen: (now := last_call()) != before and now, interval=0.005)  # type: ignore[misc]
    return first / 1e6


def test_killed_worker_loses_only_counts_that_it_had_not_sent(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """No series is above the record, and missing is at most what happened since one of its last calls."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        workers = fleet.workers(processes=1)
        observer = fleet.exporter()
        producer = fleet.producer(60, pause=0.05)
        wait_until(lambda: sum(observer.seen().values()) > 1000)
        called = some_calls(fleet)
        workers.kill()
        killed = time.time()
        producer.process.wait(60)
        fleet.workers(processes=1)
        fleet.settle(idle=False)
        at_risk = expected(fleet.record, until=killed) - expected(fleet.record, until=called)
        assert at_risk, "nothing was going on when the worker was killed"
        wait_until(lambda: not fleet.expected() - observer.seen() - at_risk, what="all but what was at risk")
        fleet.assert_never_above(observer)


def redelivered(fleet: RecordedFleet) -> float:
    """The sum of all series."""
    text = fleet.exporters[0].get("/metrics").text
    return sum(map(float, re.findall(r"^bioagents_jobs_redelivered_total{.*} (.+)$", text, re.MULTILINE)))


def test_jobs_of_a_killed_worker_are_redelivered(tmp_path: Path, redis_server: RedisServer) -> None:
    """Three were running, and count when they start again; prefetched jobs start for the first time."""
    with recorded_fleet(tmp_path, redis_server.url, HEARTBEAT_TIMEOUT="36000") as fleet:
        victim = fleet.workers(processes=1, threads=3)
        fleet.exporter()
        fleet.run("[slow.send(600) for _ in range(5)]")
        wait_until(lambda: fleet.record.read_text().count(" start ") == 3, what="three running jobs")
        wait_until(lambda: b'"running":{"deep":3}' in b"".join(fleet.client().hvals(BEATS)))
        fleet.workers(processes=1, threads=6)
        wait_until(lambda: fleet.client().hlen(BEATS) == 2, what="both workers")
        victim.kill()
        wait_until(lambda: fleet.record.read_text().count(" start ") == 3 + 5, timeout=90, what="all again")
        wait_until(lambda: redelivered(fleet) == 3, what="three redeliveries")
