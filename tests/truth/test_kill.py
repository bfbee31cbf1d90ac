"""SIGKILL: what is lost, what is not, and whose jobs run again."""

from __future__ import annotations

import re
import time
from pathlib import Path

from record import expected
from stage import Stage, stage

from support.polling import wait_until
from support.redis_server import RedisServer

#: Seconds: far more than the 0.1 s after which a small fleet hands its counts over, for busy machines.
UNFLUSHED = 1.0


def test_killed_worker_loses_only_what_it_had_not_handed_over(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """In each series: never above the record, and missing at most what happened just before the kill."""
    with stage(tmp_path, redis_server.url) as fleet:
        workers = fleet.workers(processes=1)
        observer = fleet.exporter()
        producer = fleet.producer(60, pause=0.05)
        wait_until(lambda: sum(observer.seen().values()) > 1000)
        workers.kill()
        killed = time.time()
        producer.process.wait(60)
        fleet.workers(processes=1)
        fleet.settle(idle=False)
        at_risk = expected(fleet.record, until=killed) - expected(fleet.record, until=killed - UNFLUSHED)
        assert at_risk, "nothing was going on when the worker was killed"
        wait_until(lambda: not fleet.expected() - observer.seen() - at_risk, what="all but what was at risk")
        fleet.assert_never_above(observer)


def redelivered(fleet: Stage) -> float:
    """The sum of all series."""
    text = fleet.exporters[0].get("/metrics").text
    return sum(map(float, re.findall(r"^bioagents_jobs_redelivered_total{.*} (.+)$", text, re.MULTILINE)))


def test_jobs_of_a_killed_worker_are_redelivered(tmp_path: Path, redis_server: RedisServer) -> None:
    """Three were running, and are counted as they begin again; prefetched ones begin for the first time."""
    with stage(tmp_path, redis_server.url, HEARTBEAT_TIMEOUT="36000") as fleet:
        doomed = fleet.workers(processes=1, threads=3)
        fleet.exporter()
        fleet.run("[slow.send(600) for _ in range(5)]")
        wait_until(lambda: fleet.record.read_text().count(" start ") == 3, what="three running jobs")
        keys = "bioagents:{dramatiq}:v1:beats"
        wait_until(lambda: b'"running":{"deep":3}' in b"".join(fleet.client().hvals(keys)))
        fleet.workers(processes=1, threads=6)
        wait_until(lambda: fleet.client().hlen(keys) == 2, what="both workers")
        doomed.kill()
        wait_until(lambda: fleet.record.read_text().count(" start ") == 3 + 5, timeout=90, what="all again")
        wait_until(lambda: redelivered(fleet) == 3, what="three redeliveries")
