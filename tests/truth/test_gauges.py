"""Gauges compared with Redis and /proc: idle, under load, and after faults."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from recorded_fleet import RecordedFleet, recorded_fleet

from support.exporter import Exporter
from support.polling import wait_until
from support.redis_server import RedisServer

Gauge = dict[str, float]


def exporter(fleet: RecordedFleet) -> Exporter:
    """An exporter with a short heartbeat timeout, so that its audit needs seconds instead of a minute."""
    args = ("--redis.url", fleet.exporter_url, "--redis.heartbeat-timeout", "3")
    made = Exporter(fleet.folder, *args)
    fleet.programs.append(made.program)
    return made


def gauges(made: Exporter) -> Gauge:
    """Every series of an exposition, by its text without the prefix and the fleet."""
    found = {}
    for line in made.get("/metrics").text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[re.sub(r'fleet="dramatiq",?', "", name.removeprefix("bioagents_"))] = float(value)
    return found


def shows(made: Exporter, timeout: float = 30, **expected: float) -> None:
    """Wait for values of ``<gauge>__<queue>[__<state>]``."""
    names = {}
    for key, value in expected.items():
        name, queue, *state = key.split("__")
        names[f'{name}{{queue="{queue}"' + (f',state="{state[0]}"' if state else "") + "}"] = value
    seen: Gauge = {}

    def agree() -> bool:
        seen.update(gauges(made))
        return all(seen.get(name) == value for name, value in names.items())

    try:
        wait_until(agree, timeout=timeout)
    except AssertionError as error:
        raise AssertionError({name: (value, seen.get(name)) for name, value in names.items()}) from error


def test_without_workers(tmp_path: Path, redis_server: RedisServer) -> None:
    """Sent jobs wait, delayed jobs are delayed, and there are no slots."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        made = exporter(fleet)
        fleet.run("[succeed.send() for _ in range(7)]")
        fleet.run("[slow.send_with_options(args=(1,), delay=60000) for _ in range(3)]")
        shows(
            made, queue_depth__chat__waiting=7, queue_depth__chat__active=0, queue_depth__deep__delayed=3,
            queue_depth__deep__waiting=0, queue_workers__chat=0, queue_slots__chat=0,
            queue_stuck_jobs__deep=0,
        )  # fmt: skip


def test_under_load_and_after_kill(tmp_path: Path, redis_server: RedisServer) -> None:
    """Two slots, six long jobs: two run, two are prefetched, two wait. Then the worker is killed."""
    with recorded_fleet(tmp_path, redis_server.url) as fleet:
        workers = fleet.workers(processes=1, threads=2, args=("--queues", "deep"))
        made = exporter(fleet)
        fleet.run("[slow.send(120) for _ in range(6)]")
        shows(
            made, queue_depth__deep__waiting=2, queue_depth__deep__active=4, queue_running_jobs__deep=2,
            queue_workers__deep=1, queue_slots__deep=2, queue_workers__chat=0, queue_orphaned_jobs__deep=0,
            queue_unheld_jobs__deep=0, queue_stuck_jobs__deep=0,
        )  # fmt: skip
        seen = gauges(made)
        ((info, _),) = [(k, v) for k, v in seen.items() if k.startswith("worker_info")]
        pid = int(re.search(r'pid="(\d+)"', info)[1])  # type: ignore[index]
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        (rss,) = [v for k, v in seen.items() if k.startswith("worker_memory_rss_bytes")]
        assert abs(rss - pages * os.sysconf("SC_PAGE_SIZE")) < 0.1 * rss
        workers.kill()
        shows(
            made, timeout=60, queue_orphaned_jobs__deep=4, queue_workers__deep=0, queue_running_jobs__deep=0
        )
        client = redis_server.client()
        held = sum(client.scard(key) for key in client.keys("dramatiq:__acks__.*.deep"))  # type: ignore[misc]
        assert held == 4
        wait_until(lambda: gauges(made).get("workers_missing{}") == 1, timeout=60)


def test_stuck_after_a_restart_of_redis(tmp_path: Path) -> None:
    """A worker loses delayed jobs in its memory when Redis restarts; they stay in its acknowledgement set."""
    server = RedisServer(tmp_path / "redis", appendonly="yes")
    try:
        with recorded_fleet(tmp_path, server.url) as fleet:
            workers = fleet.workers(processes=1)
            made = exporter(fleet)
            fleet.run("[slow.send_with_options(args=(1,), delay=600000) for _ in range(3)]")
            client = server.client()

            def held() -> int:
                return sum(client.scard(key) for key in client.keys("dramatiq:__acks__.*.deep.DQ"))  # type: ignore[misc]

            wait_until(lambda: held() == 3, what="delayed jobs in the worker's memory")
            shows(made, queue_depth__deep__delayed=3, queue_stuck_jobs__deep=0)
            server.stop()
            wait_until(lambda: "ConsumerThread(deep.DQ)] [CRITICAL]" in workers.output())
            server.start()
            shows(made, timeout=90, queue_stuck_jobs__deep=3)
            assert held() == 3
    finally:
        server.kill()


def test_running_across_a_restart_of_redis(tmp_path: Path) -> None:
    """A consumer that reconnects counts from zero; jobs that still run are not shown as stuck."""
    server = RedisServer(tmp_path / "redis", appendonly="yes")
    try:
        with recorded_fleet(tmp_path, server.url) as fleet:
            workers = fleet.workers(processes=1, threads=2)
            made = exporter(fleet)
            fleet.run("[slow.send(300) for _ in range(3)]")  # one less than it would fetch: it goes on asking
            shows(made, queue_running_jobs__deep=2, queue_depth__deep__active=3, queue_stuck_jobs__deep=0)
            server.stop()
            wait_until(lambda: "ConsumerThread(deep)] [CRITICAL]" in workers.output())
            server.start()
            fleet.run("[slow.send(300) for _ in range(4)]")
            shows(made, timeout=60, queue_depth__deep__active=7, queue_running_jobs__deep=2)
            until = time.monotonic() + 20  # several rounds of the background reading
            while time.monotonic() < until:
                shows(made, queue_orphaned_jobs__deep=0, queue_unheld_jobs__deep=0)
                assert not gauges(made)['queue_stuck_jobs{queue="deep"}']
                time.sleep(0.5)
    finally:
        server.kill()
