"""Redis loses data: never a count above the record, and below it by at most what was not yet scraped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from stage import Stage, stage

from bioagents_worker.wire import Keys
from support.observer import Observer
from support.polling import wait_until
from support.redis_server import RedisServer
from support.sentinel import Sentinel

KEYS = Keys("dramatiq")


def epoch(fleet: Stage) -> bytes | None:
    """Which data set the totals belong to; None while Redis is away or loads its data."""
    try:
        return fleet.client().hget(KEYS.seqs, "__epoch")  # type: ignore[return-value]
    except (OSError, redis.RedisError):
        return None


def new_epoch_scraped(fleet: Stage, observer: Observer, before: bytes | None) -> int:
    """What is on record once both queues' totals of a new epoch were seen: until then it was not scraped."""

    def begun() -> bool:
        now = epoch(fleet)
        queues = (fleet.client().hget(KEYS.totals(queue), "__epoch") for queue in ("chat", "deep"))
        return now not in (None, before) and all(its == now for its in queues)

    wait_until(begun, what="a new epoch of both queues")
    scrapes = observer.scrapes
    wait_until(lambda: observer.scrapes >= scrapes + 2, what="a scrape of the new epoch")
    return sum(fleet.expected().values())


def work_through(fleet: Stage, observer: Observer, fault: Callable[[], None], *, idle: bool = True) -> None:
    """Work, a fault, work; then nothing too much is seen, and nothing is missing that a scrape had seen."""
    fleet.workers()
    fleet.produce(15)
    wait_until(lambda: sum(observer.seen().values()) > 200)
    before, scraped = epoch(fleet), sum(observer.seen().values())
    fault()
    fleet.produce(5)
    at_epoch = new_epoch_scraped(fleet, observer, before)
    fleet.produce(10)
    fleet.settle(idle=idle)
    unscraped = at_epoch - scraped
    wait_until(
        lambda: sum(observer.seen().values()) >= sum(fleet.expected().values()) - unscraped,
        what="all but what was not yet scraped",
    )
    scrapes = observer.scrapes
    wait_until(lambda: observer.scrapes > scrapes + 3)
    fleet.assert_never_above(observer)


def test_restart_with_aof(tmp_path: Path) -> None:
    """The same data under a new server process."""
    server = RedisServer(tmp_path / "redis", appendonly="yes")
    try:
        with stage(tmp_path, server.url) as fleet:
            work_through(fleet, fleet.exporter(), server.restart, idle=False)
    finally:
        server.kill()


def test_restart_with_older_data(tmp_path: Path) -> None:
    """A backup comes back: totals that were published already must not count again."""
    server = RedisServer(tmp_path / "redis", appendonly="yes", appendfsync="always")
    copy = tmp_path / "backup"

    def older() -> None:
        server.kill()
        shutil.rmtree(server.folder / "appendonlydir")
        shutil.copytree(copy, server.folder / "appendonlydir")
        server.start()

    try:
        with stage(tmp_path, server.url) as fleet:
            first = fleet.workers()
            observer = fleet.exporter()
            fleet.produce(5)
            fleet.settle()
            wait_until(lambda: not fleet.difference(observer))
            shutil.copytree(server.folder / "appendonlydir", copy)
            first.stop()
            work_through(fleet, observer, older, idle=False)
    finally:
        server.kill()


@pytest.mark.parametrize("lost", ["everything", "totals:chat", "seqs"])
def test_data_vanish_under_a_running_server(tmp_path: Path, redis_server: RedisServer, lost: str) -> None:
    """FLUSHALL, or the loss of a single hash of ours."""
    client = redis_server.client()

    def fault() -> None:
        if lost == "everything":
            client.flushall()
        else:
            client.delete(KEYS.prefix + lost)

    with stage(tmp_path, redis_server.url) as fleet:
        work_through(fleet, fleet.exporter(), fault, idle=False)


def test_sentinel_failover(tmp_path: Path) -> None:
    """A replica takes over."""
    primary = RedisServer(tmp_path / "primary")
    replica = RedisServer(tmp_path / "replica", replicaof=f"127.0.0.1 {primary.port}")
    sentinel = Sentinel(tmp_path / "sentinel", primary.port)
    wait_until(sentinel.knows_replica)
    url = f"redis+sentinel://127.0.0.1:{sentinel.port}/{sentinel.primary}/0"

    def failover() -> None:
        primary.kill()
        wait_until(lambda: sentinel.primary_port() == replica.port, timeout=60)
        wait_until(lambda: replica.client().info("replication")["role"] == "master")
        patient = ("SENTINEL", "SET", sentinel.primary, "down-after-milliseconds", "5000")
        redis.Redis(port=sentinel.port).execute_command(*patient)  # a busy machine is no second failover

    try:
        env = {"SENTINEL": str(sentinel.port)}
        with stage(tmp_path, primary.url, exporter_url=url, **env) as fleet:
            fleet.client = replica.client  # type: ignore[method-assign]
            work_through(fleet, fleet.exporter(), failover, idle=False)
    finally:
        for server in (primary, replica, sentinel):
            server.kill()


def test_whole_host_restarts(tmp_path: Path) -> None:
    """Redis, workers and exporter are killed at once and started again."""
    server = RedisServer(tmp_path / "redis", appendonly="yes")
    try:
        with stage(tmp_path, server.url) as fleet:
            workers = fleet.workers()
            observer = fleet.exporter()
            fleet.produce(20)
            wait_until(lambda: sum(observer.seen().values()) > 200)
            before, scraped = epoch(fleet), sum(observer.seen().values())
            workers.kill()
            fleet.exporters[-1].program.kill()
            server.kill()
            server.start()
            fleet.workers()
            fleet.exporter()
            observer.url = fleet.observers.pop().url
            unscraped = new_epoch_scraped(fleet, observer, before) - scraped
            fleet.produce(10)
            fleet.settle(idle=False)
            wait_until(lambda: sum(observer.seen().values()) >= sum(fleet.expected().values()) - unscraped)
            fleet.assert_never_above(observer)
    finally:
        server.kill()
