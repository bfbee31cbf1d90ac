"""Redis loses data: never a count above the record, and below it by at most what was not yet scraped."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from record import Series
from recorded_fleet import RecordedFleet, recorded_fleet

from bioagents_worker.wire import Keys
from support.exporter import Observer
from support.polling import wait_until
from support.redis_server import RedisServer, Sentinel

KEYS = Keys("dramatiq")


def epoch(fleet: RecordedFleet) -> bytes | None:
    """The epoch of the data set; None while Redis is away or loads its data."""
    try:
        return fleet.client().hget(KEYS.seqs, "__epoch")  # type: ignore[return-value]
    except (OSError, redis.RedisError):
        return None


def new_epoch_scraped(fleet: RecordedFleet, observer: Observer, before: bytes | None) -> Counter[Series]:
    """The record when both queues' totals of a new epoch have been scraped."""

    def begun() -> bool:
        now = epoch(fleet)
        queues = (fleet.client().hget(KEYS.totals(queue), "__epoch") for queue in ("chat", "deep"))
        return now not in (None, before) and all(its == now for its in queues)

    wait_until(begun, what="a new epoch of both queues")
    scrapes = observer.scrapes
    wait_until(lambda: observer.scrapes >= scrapes + 2, what="a scrape of the new epoch")
    return fleet.expected()


def assert_only_unscraped_is_missing(
    fleet: RecordedFleet,
    observer: Observer,
    scraped: Counter[Series],
    at_epoch: Counter[Series],
    *,
    exporter_restarted: bool = False,
) -> None:
    """Assert that no series is too high, and that missing is at most what was not scraped before the epoch.

    A reset that Prometheus could not see, because the new value had reached the old one by the next scrape,
    hides the old value too. A restarted exporter publishes a failure's series again only at its next failure:
    that reset is hidden where the new epoch has as many failures as were scraped of the old one.
    """
    excused = at_epoch - scraped
    excused += Counter({key: n for key, n in scraped.items() if excused[key] >= n})

    def missing() -> Counter[Series]:
        expected = fleet.expected()
        hidden = Counter(
            {
                key: n
                for key, n in scraped.items()
                if exporter_restarted and key[0] == "job_failures_total" and expected[key] - n >= n
            }
        )
        return expected - observer.seen() - excused - hidden

    def assert_complete() -> None:
        """What is recorded while this looks is scraped a moment later; what is lost stays missing."""
        with suppress(AssertionError):  # the next line shows what is missing
            wait_until(lambda: not missing())
        assert not missing()

    assert_complete()
    scrapes = observer.scrapes
    wait_until(lambda: observer.scrapes > scrapes + 3)
    assert_complete()
    fleet.assert_never_above(observer)


def when_idle(fleet: RecordedFleet, observer: Observer, fault: Callable[[], None]) -> None:
    """Everything was scraped before the fault, so nothing may be missing."""
    fleet.produce(10)
    fleet.settle()
    fleet.assert_exact(observer)
    before = epoch(fleet)
    fault()
    new_epoch_scraped(fleet, observer, before)
    fleet.produce(10)
    fleet.settle()
    fleet.assert_exact(observer)


def under_load(fleet: RecordedFleet, observer: Observer, fault: Callable[[], None]) -> None:
    """The fault comes while jobs run."""
    known = sum(observer.seen().values())
    fleet.produce(15)
    wait_until(lambda: sum(observer.seen().values()) > known + 200)
    before, scraped = epoch(fleet), observer.seen()
    fault()
    fleet.produce(5)
    at_epoch = new_epoch_scraped(fleet, observer, before)
    fleet.produce(10)
    fleet.settle(idle=False)
    assert_only_unscraped_is_missing(fleet, observer, scraped, at_epoch)


def test_restart_with_aof(tmp_path: Path) -> None:
    """A new server process has the same data."""
    server = RedisServer(tmp_path / "redis", appendonly="yes")
    try:
        with recorded_fleet(tmp_path, server.url) as fleet:
            fleet.workers()
            observer = fleet.exporter()
            when_idle(fleet, observer, server.restart)
            under_load(fleet, observer, server.restart)
    finally:
        server.kill()


def test_restart_with_older_data(tmp_path: Path) -> None:
    """A restored backup: totals that were already published do not count again."""
    server = RedisServer(tmp_path / "redis", appendonly="yes", appendfsync="always")
    copy = tmp_path / "backup"

    def older() -> None:
        server.kill()
        shutil.rmtree(server.folder / "appendonlydir")
        shutil.copytree(copy, server.folder / "appendonlydir")
        server.start()

    try:
        with recorded_fleet(tmp_path, server.url) as fleet:
            fleet.workers()
            observer = fleet.exporter()
            fleet.produce(5)
            fleet.settle()
            fleet.assert_exact(observer)
            shutil.copytree(server.folder / "appendonlydir", copy)
            when_idle(fleet, observer, older)
            under_load(fleet, observer, older)
    finally:
        server.kill()


@pytest.mark.parametrize("lost", ["everything", "totals:chat", "seqs"])
def test_data_lost_in_a_running_server(tmp_path: Path, redis_server: RedisServer, lost: str) -> None:
    """FLUSHALL, or the loss of one of our hashes."""
    client = redis_server.client()

    with recorded_fleet(tmp_path, redis_server.url) as fleet:

        def fault() -> None:
            if lost == "everything":
                client.flushall()
            else:
                client.delete(KEYS.prefix + lost)
            if lost == "totals:chat":  # the next call with counts of this queue notices it
                fleet.run("succeed.send()")

        fleet.workers()
        observer = fleet.exporter()
        when_idle(fleet, observer, fault)
        under_load(fleet, observer, fault)


def test_loss_of_hashes_on_which_no_count_depends(tmp_path: Path, redis_server: RedisServer) -> None:
    """Heartbeats, producers, sign-offs and the set of queues are deleted several times."""
    client = redis_server.client()
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers()
        fleet.exporter()
        producer = fleet.producer(30, pause=0.05)
        for _ in range(5):
            client.delete(*(KEYS.prefix + name for name in ("beats", "producers", "gone", "queues")))
            fleet.run("succeed.send()")
        producer.process.wait(60)
        fleet.settle()
        fleet.assert_exact()


@pytest.mark.parametrize("when", [when_idle, under_load])
def test_sentinel_failover(tmp_path: Path, when: Callable[..., None]) -> None:
    """A replica becomes the primary."""
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
        with recorded_fleet(tmp_path, primary.url, exporter_url=url, **env) as fleet:
            fleet.workers()
            observer = fleet.exporter()
            fleet.client = replica.client  # type: ignore[method-assign]
            when(fleet, observer, failover)
    finally:
        for server in (primary, replica, sentinel):
            server.kill()


def test_whole_host_restarts(tmp_path: Path) -> None:
    """Redis, workers and exporter are killed together and started again."""
    server = RedisServer(tmp_path / "redis", appendonly="yes")
    try:
        with recorded_fleet(tmp_path, server.url) as fleet:
            workers = fleet.workers()
            observer = fleet.exporter()
            fleet.produce(20)
            wait_until(lambda: sum(observer.seen().values()) > 200)
            before, scraped = epoch(fleet), observer.seen()
            workers.kill()
            fleet.exporters[-1].program.kill()
            server.kill()
            server.start()
            fleet.workers()
            fleet.exporter()
            observer.url = fleet.observers.pop().url
            at_epoch = new_epoch_scraped(fleet, observer, before)
            fleet.produce(10)
            fleet.settle(idle=False)
            assert_only_unscraped_is_missing(fleet, observer, scraped, at_epoch, exporter_restarted=True)
    finally:
        server.kill()
