"""Every counter equals the record: in normal operation, and under faults in which Redis loses no data."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path

import pytest
from recorded_fleet import recorded_fleet

from bioagents_worker._link import Script
from support.polling import wait_until
from support.redis_server import RedisServer
from support.tcp_proxy import TcpProxy, one_in

OUTCOMES = {
    "jobs_enqueued_total": "succeed urgent flaky hopeless expected aged refused endless limited gentle",
    "jobs_succeeded_total": "succeed urgent flaky gentle",
    "job_failures_total": "flaky hopeless expected endless gentle",
    "job_retries_total": "flaky hopeless postponed",
    "jobs_dead_total": "hopeless expected aged endless postponed gentle (unknown)",
    "jobs_skipped_total": "refused",
}


def test_five_thousand_jobs_of_every_kind(tmp_path: Path, redis_server: RedisServer) -> None:
    """Two processes with four threads each, two exporters: both publish the exact numbers."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers()
        first = fleet.exporter()
        second = fleet.exporter()
        fleet.produce(220)
        fleet.settle(timeout=240)
        fleet.assert_exact(first, second)
        fleet.assert_times()
        record = fleet.expected()
        attempts = sum(n for (name, *_), n in record.items() if name == "jobs_processed_total")
        assert attempts >= 5000
        of_workers = re.findall(
            r"^bioagents_worker_jobs_total{.*} (.+)$", fleet.exporters[0].get("/metrics").text, re.MULTILINE
        )
        assert (len(of_workers), sum(map(float, of_workers))) == (2, attempts)
        for name, actors in OUTCOMES.items():
            seen = {key[2] for key in record if key[0] == name}
            assert set(actors.split()) <= seen, name


@pytest.mark.parametrize("chance", [3])
def test_replies_to_our_script_are_lost(tmp_path: Path, redis_server: RedisServer, chance: int) -> None:
    """A call that was applied but had no reply is repeated, and counted once."""
    proxy = TcpProxy(redis_server.port)
    proxy.lose_reply = one_in(chance, of=Script.load("flush.lua").sha.encode())
    url = f"redis://127.0.0.1:{proxy.port}/0"
    with recorded_fleet(tmp_path, url, exporter_url=redis_server.url) as fleet:
        fleet.workers()
        fleet.exporter()
        fleet.produce(40, pause=0.1)
        fleet.settle()
        assert proxy.lost >= 5
        proxy.lose_reply = lambda _: False
        fleet.assert_exact()
    proxy.close()


def test_network_away(tmp_path: Path, redis_server: RedisServer) -> None:
    """For a minute, longer than every timeout: counts stay in memory and arrive later."""
    proxy = TcpProxy(redis_server.port)
    with recorded_fleet(
        tmp_path, f"redis://127.0.0.1:{proxy.port}/0", exporter_url=redis_server.url
    ) as fleet:
        fleet.workers()
        observer = fleet.exporter()
        fleet.produce(20)
        wait_until(lambda: sum(observer.seen().values()) > 100)
        proxy.go_away()
        scrapes = observer.scrapes
        time.sleep(60)
        assert observer.scrapes > scrapes  # the exporter is on the other side
        proxy.come_back()
        fleet.produce(10)
        fleet.settle(idle=False)
        fleet.assert_exact()
    proxy.close()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_workers_are_stopped_or_restarted(tmp_path: Path, redis_server: RedisServer, signum: int) -> None:
    """While they work, no count is lost.

    A consumer that stops may lose jobs that it has just fetched: Dramatiq requeues them only when it
    considers the worker dead.
    """
    with recorded_fleet(tmp_path, redis_server.url, HEARTBEAT_TIMEOUT="15000") as fleet:
        # Its script, since after SIGHUP `python -m dramatiq` starts whichever python is first on the PATH.
        workers = fleet.workers(program=(str(Path(sys.executable).parent / "dramatiq"),))
        fleet.exporter()
        fleet.produce(30)
        workers.signal(signum)
        if signum == signal.SIGTERM:
            workers.process.wait(30)
            fleet.workers()
        fleet.produce(10)
        fleet.settle()
        fleet.assert_exact()


def test_exporter_is_restarted(tmp_path: Path, redis_server: RedisServer) -> None:
    """The totals are in Redis, so a restart of the exporter changes no total."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers()
        observer = fleet.exporter()
        producer = fleet.producer(30, pause=0.1)
        for _ in range(3):
            seen = observer.scrapes
            wait_until(lambda n=seen: observer.scrapes > n + 3)
            fleet.exporters[-1].program.kill()
            fleet.exporter()
            observer.url = fleet.observers.pop().url
        producer.process.wait(60)
        fleet.settle()
        fleet.assert_exact(observer)


def test_with_dramatiqs_own_middleware(tmp_path: Path, redis_server: RedisServer) -> None:
    """With Dramatiq's Prometheus middleware loaded too, all counts are exact."""
    from support.polling import free_port  # noqa: PLC0415 - only here

    env = {"WITH_PROMETHEUS": "1", "dramatiq_prom_port": str(free_port()), "dramatiq_prom_host": "127.0.0.1"}
    env["dramatiq_prom_db"] = str(tmp_path / "prometheus")
    with recorded_fleet(tmp_path, redis_server.url, **env) as fleet:
        fleet.workers()
        fleet.exporter()
        fleet.produce(20)
        fleet.settle()
        fleet.assert_exact()
        fleet.assert_times()


def test_two_wire_versions(tmp_path: Path, redis_server: RedisServer) -> None:
    """During an upgrade workers of both versions run; the sum over the series of both is exact."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        fleet.workers(processes=1)
        fleet.workers(processes=1, WIRE_VERSION="0")
        fleet.exporter()
        fleet.produce(20)
        fleet.produce(20, WIRE_VERSION="0")
        fleet.settle()
        fleet.assert_exact()
        fleet.assert_times()


@pytest.mark.parametrize("how", ["spawn", "gevent"])
def test_other_ways_to_run_workers(tmp_path: Path, redis_server: RedisServer, how: str) -> None:
    """Spawned processes, and greenlets."""
    env = {"GREEN": "1"} if how == "gevent" else {}
    with recorded_fleet(tmp_path, redis_server.url, **env) as fleet:
        if how == "spawn":
            fleet.workers(args=("--use-spawn",))
        else:
            fleet.workers(program=(str(Path(sys.executable).parent / "dramatiq-gevent"),), threads=16)
        fleet.produce(20)
        fleet.exporter()
        fleet.settle()
        fleet.assert_exact()
        fleet.assert_times()
