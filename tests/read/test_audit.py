"""Orphaned, stuck, unheld and overdue jobs of real workers that are killed, stopped and restarted."""

from __future__ import annotations

import json
import os
import pickle
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from bioagents_exporter.read.audit.holders import Brokers
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import QueueAudit, Snapshot, Worker
from bioagents_exporter.read.unread import MAX_MESSAGE
from bioagents_worker.wire import State
from read.conftest import MakeReader
from support.polling import wait_until
from support.programs import Program, start_workers
from support.redis_server import RedisServer
from support.wire_fleet import IDENTITY, WireFleet

APPLICATION = """
import os, time
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from bioagents_worker import JobMetrics

broker = RedisBroker(url=os.environ["REDIS_URL"])
broker.add_middleware(JobMetrics())
dramatiq.set_broker(broker)

@dramatiq.actor(queue_name="chat", max_retries=0)
def work(seconds):
    time.sleep(seconds)
"""


def start(server: RedisServer, folder: Path, *, threads: int = 2) -> Program:
    """One worker process of the application."""
    (folder / "read_application.py").write_text(APPLICATION)
    return start_workers(
        "read_application", cwd=folder, path=folder, threads=threads, env={"REDIS_URL": server.url}
    )


def send(server: RedisServer, seconds: float, *, delay: int | None = None, queue: str = "chat") -> None:
    """One job from a producer without JobMetrics."""
    broker = RedisBroker(url=server.url, middleware=[])
    message: Any = dramatiq.Message(
        queue_name=queue, actor_name="work", args=(seconds,), kwargs={}, options={}
    )
    broker.enqueue(message, delay=delay)
    broker.client.close()


def audited(reader: Reader, queue: str = "chat") -> QueueAudit:
    """What is known after one more read and audit."""
    reader.read()
    reader.audit()
    return reader.read().audits[queue]


@pytest.fixture
def worker(redis_server: RedisServer, tmp_path: Path) -> Iterator[Program]:
    """A worker with two threads on the test's own Redis, ready."""
    program = start(redis_server, tmp_path)
    with redis_server.client() as client:
        wait_until(lambda: client.hlen("bioagents:{dramatiq}:v1:beats"), what="the first heartbeat")
    yield program
    program.kill()


def worker_knows(snapshot: Snapshot, held: int, delayed: int) -> bool:
    """Whether the one worker reports this number of jobs of the queue ``chat``."""
    states = [worker.state for worker in snapshot.workers]
    found = [((s.held or {}).get("chat", 0), (s.delayed or {}).get("chat", 0)) for s in states]
    return found == [(held, delayed)]


def test_a_killed_worker_leaves_orphans(
    redis_server: RedisServer, worker: Program, make_reader: MakeReader
) -> None:
    """What it ran and what it had prefetched, delayed jobs too; nothing before its heartbeat expires."""
    reader = make_reader(redis_server.url, queues=("chat",), heartbeat_timeout=2.0)
    for _ in range(6):
        send(redis_server, 600)
    send(redis_server, 0, delay=3_600_000)
    wait_until(lambda: worker_knows(reader.read(), 4, 1), what="a full worker")
    alive = audited(reader)
    assert (alive.orphaned, alive.unheld, alive.stuck, alive.overdue) == (0, 0, 0, 0)
    worker.kill()
    wait_until(lambda: audited(reader).orphaned)
    for _ in range(3):
        found = audited(reader)
    assert (found.orphaned, found.unheld, found.overdue) == (5, 0, 0)


def test_a_restart_of_redis_leaves_stuck_jobs(tmp_path: Path, make_reader: MakeReader) -> None:
    """A living worker forgets the delayed jobs in its memory, while they stay in its acknowledgement set."""
    server = RedisServer(tmp_path / "redis", appendonly="yes", appendfsync="always")
    worker = start(server, tmp_path)
    try:
        for _ in range(3):
            send(server, 0, delay=3_600_000)
        reader = make_reader(server.url, queues=("chat",))
        wait_until(lambda: worker_knows(reader.read(), 0, 3), what="three delayed jobs in memory")
        assert audited(reader).stuck == 0
        server.stop()
        wait_until(
            lambda: "ConsumerThread(chat.DQ)] [CRITICAL]" in worker.output(), what="the worker notices"
        )
        server.start()
        wait_until(lambda: audited(reader).stuck, timeout=60)
        found = audited(reader)
        assert (found.stuck, found.orphaned, found.unheld, found.overdue) == (3, 0, 0, 0)
        assert worker.running
    finally:
        worker.kill()
        server.kill()


@pytest.mark.usefixtures("worker")
def test_nothing_is_wrong_with_a_busy_worker(redis_server: RedisServer, make_reader: MakeReader) -> None:
    """Thousands of short jobs: no audit ever finds one orphaned, unheld or stuck."""
    reader = make_reader(redis_server.url, queues=("chat",))
    reader.read()
    deadline = time.monotonic() + 5
    seen = set()
    busy = 0
    broker = RedisBroker(url=redis_server.url, middleware=[])
    while time.monotonic() < deadline:
        for delay in (None, None, None, 50):
            broker.enqueue(
                dramatiq.Message(queue_name="chat", actor_name="work", args=(0.002,), kwargs={}, options={}),
                delay=delay,
            )
        audit = audited(reader)
        seen.add((audit.orphaned, audit.stuck, audit.unheld or 0))
        busy += bool(reader.read().queues[0].messages)
    broker.client.close()
    assert seen == {(0, 0, 0)}
    assert busy > 20


def test_a_producer_that_is_gone_orphans_nothing(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Dramatiq's heartbeats are written by every enqueuer."""
    send(shared_redis, 1)
    client.zadd("dramatiq:__heartbeats__", {"gone": 1})
    audit = audited(make_reader(shared_redis.url, queues=("chat",)))
    assert (audit.orphaned, audit.unheld, audit.stuck) == (0, 0, 0)


def test_a_job_that_no_worker_has_is_unheld(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """After three audits; one that comes back is not."""
    reader = make_reader(shared_redis.url, queues=("chat",))
    for _ in range(3):
        send(shared_redis, 1)
    assert [audited(reader).unheld for _ in range(2)] == [0, 0]
    lost = client.lpop("dramatiq:chat")
    assert isinstance(lost, bytes)
    assert [audited(reader).unheld for _ in range(3)] == [0, 0, 1]
    client.rpush("dramatiq:chat", lost)
    assert audited(reader).unheld == 0


def test_before_three_audits_a_difference_is_not_published(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """None is "not read (yet)"."""
    client.hset("dramatiq:chat.msgs", mapping={"1": "x", "2": "y"})
    reader = make_reader(shared_redis.url, queues=("chat",))
    assert [audited(reader).unheld for _ in range(3)] == [None, None, 2]


LARGE = "x" * (MAX_MESSAGE + 1)


def delayed(client: redis.Redis, *etas: float) -> None:
    """Delayed messages that are due in the given number of seconds."""
    dues = [{"eta": (time.time() + eta) * 1000} for eta in etas]
    due = {str(n): json.dumps({"actor_name": "answer", "options": eta}) for n, eta in enumerate(dues)}
    client.hset("dramatiq:chat.DQ.msgs", mapping=due)  # type: ignore[arg-type]


def test_overdue_jobs_are_counted_exactly(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Up to a hundred; a job is late five seconds after its time."""
    delayed(client, *[-60] * 7, *[-2] * 3, *[60] * 90)
    reader = make_reader(shared_redis.url, queues=("chat",))
    assert audited(reader).overdue == 7
    client.delete("dramatiq:chat.DQ.msgs")
    assert audited(reader).overdue == 0


def test_many_overdue_jobs_are_estimated(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """From a hundred of them; none and all are exact."""
    reader = make_reader(shared_redis.url, queues=("chat",))
    delayed(client, *[60] * 4000)
    assert audited(reader).overdue == 0
    delayed(client, *[-60] * 4000)
    assert audited(reader).overdue == 4000
    delayed(client, *[60] * 2000)
    estimates = [audited(reader).overdue or 0 for _ in range(20)]
    assert sum(estimates) / 20 == pytest.approx(2000, rel=0.15)


def test_what_cannot_be_read_does_not_shrink_the_estimate(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """All that can be read are late, so all are taken to be; most are too large or damaged."""
    delayed(client, *[-60] * 400)
    junk = {f"junk-{n}": '{"actor_name": "answer"}' for n in range(400)} | {
        f"large-{n}": LARGE for n in range(200)
    }
    client.hset("dramatiq:chat.DQ.msgs", mapping=junk)  # type: ignore[arg-type]
    reader = make_reader(shared_redis.url, queues=("chat",))
    assert audited(reader).overdue == 1000
    reader.audit()
    snapshot = reader.read()
    assert snapshot.errors.keys() == {"delayed_unreadable"}
    assert 5 < snapshot.errors["delayed_unreadable"] <= 100
    assert snapshot.unread.keys() == {("chat", "damaged"), ("chat", "too_large")}


def test_delayed_messages_that_cannot_be_read(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Damaged ones are errors, others are named; the rest is counted, and without a rest nothing is known."""
    junk = {"a": pickle.dumps({}), "b": b'{"actor_name":', "d": b"x" * 5_000_000}
    junk["c"] = b'{"actor_name":"answer","options":{"eta":"soon"}}'
    client.hset("dramatiq:chat.DQ.msgs", mapping=junk)  # type: ignore[arg-type]
    reader = make_reader(shared_redis.url, queues=("chat",))
    assert audited(reader).overdue is None
    assert reader.read().errors == {}
    delayed(client, -60, 60)
    reader.audit()
    snapshot = reader.read()
    assert snapshot.audits["chat"].overdue == 1
    assert snapshot.errors == {"delayed_unreadable": 2}
    named = {reason: n for (_, reason), n in snapshot.unread.items()}
    assert named == {"damaged": 2, "pickle": 1, "too_large": 1}


def test_keys_of_the_wrong_type(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """What cannot be known is None, and counted."""
    client.set("dramatiq:__acks__.dead.chat", "junk")
    client.zadd("dramatiq:__heartbeats__", {"dead": 1})
    client.set("dramatiq:chat.DQ.msgs", "junk")
    reader = make_reader(shared_redis.url, queues=("chat",))
    audit = audited(reader)
    assert (audit.orphaned, audit.unheld, audit.stuck, audit.overdue) == (None, None, 0, None)
    client.delete("dramatiq:__heartbeats__", "dramatiq:chat.DQ.msgs")
    client.set("dramatiq:__heartbeats__", "junk")
    reader.read()
    reader.audit()
    snapshot = reader.read()
    audit = snapshot.audits["chat"]
    assert (audit.orphaned, audit.unheld, audit.stuck, audit.overdue) == (None, None, 0, 0)
    assert snapshot.errors == {"wrong_type": 1}


def test_jobs_of_other_workers_are_held(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """A worker without JobMetrics holds what is in its sets; it is alive while its heartbeat is fresh."""
    for _ in range(4):
        send(shared_redis, 1)
    broker = RedisBroker(url=shared_redis.url, middleware=[], heartbeat_timeout=60_000)
    consumer = broker.consume("chat", prefetch=3)
    assert next(consumer)
    reader = make_reader(shared_redis.url, queues=("chat",))
    for _ in range(4):
        audit = audited(reader)
    assert (audit.orphaned, audit.unheld, audit.stuck) == (0, 0, 0)
    client.zadd("dramatiq:__heartbeats__", {broker.broker_id: (time.time() - 61) * 1000})
    assert audited(reader).orphaned == 3
    broker.client.close()


def test_a_worker_without_a_heartbeat_of_dramatiq_is_alive(
    client: redis.Redis, make_reader: MakeReader, shared_redis: RedisServer
) -> None:
    """Its own heartbeat is fresh, so its jobs are no orphans."""
    WireFleet(client).flush("w1", State(held={"chat": 1}))
    client.hset("dramatiq:chat.msgs", "held", "{}")
    client.sadd(f"dramatiq:__acks__.{IDENTITY.broker}.chat", "held")
    assert audited(make_reader(shared_redis.url, queues=("chat",))).orphaned == 0


def test_two_workers_of_one_broker_share_its_sets(
    client: redis.Redis, make_reader: MakeReader, shared_redis: RedisServer
) -> None:
    """Two in one process: jobs that either holds are not stuck, one more is; none counts twice."""
    fleet, reader = WireFleet(client), make_reader(shared_redis.url, queues=("chat",))

    def held(ids: list[str]) -> set[tuple[int | None, int | None]]:
        """Stuck and unheld jobs in each of several audits."""
        client.hset("dramatiq:chat.msgs", mapping=dict.fromkeys(ids, "{}"))
        client.sadd(f"dramatiq:__acks__.{IDENTITY.broker}.chat", *ids)
        found = set()
        for _ in range(8):
            for worker in ("w1", "w2"):
                fleet.flush(worker, State(held={"chat": 2}))
            audit = audited(reader)
            found.add((audit.stuck, audit.unheld))
        return found

    assert held(["1", "2", "3", "4"]) == {(0, 0)}
    assert (1, 0) in held(["5"])


def test_workers_of_one_broker_were_seen_when_the_most_silent_one_was() -> None:
    """A job that the other one took since then is in no heartbeat yet, and is not stuck."""
    two = [Worker(name, seen, IDENTITY, State()) for name, seen in (("a", 999.0), ("b", 991.0))]
    for workers in (two, two[::-1]):
        (holder,) = Brokers({}, workers, 1_000.0, 60.0).of(IDENTITY.queues[0])
        assert holder.worker is not None
        assert holder.worker.seen == 991.0


def test_a_job_of_a_queue_that_its_worker_does_not_name(
    client: redis.Redis, make_reader: MakeReader, shared_redis: RedisServer
) -> None:
    """The worker reports that it holds the job, so the job is not unheld."""
    WireFleet(client).flush("w1", State(held={"late": 1}))
    client.hset("dramatiq:late.msgs", "held", "{}")
    client.sadd(f"dramatiq:__acks__.{IDENTITY.broker}.late", "held")
    reader = make_reader(shared_redis.url, queues=("late",))
    for _ in range(4):
        reader.read()
        reader.audit()
    assert reader.read().audits["late"].unheld == 0


def test_ages_are_by_the_servers_clock(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """``read_at`` is when the audit ended."""
    WireFleet(client).flush("w1", State(), totals={"chat": {"processed|a": 1}})
    reader = make_reader(shared_redis.url)
    before = client.time()  # the clock is set by the read, behind by the time that its answer took
    reader.read()
    reader.audit()
    after = client.time()
    assert unix(before) <= reader.read().audits["chat"].read_at <= unix(after)


def unix(time: tuple[int, int]) -> float:
    """Unix seconds from the reply to TIME."""
    return time[0] + time[1] / 1e6


def test_a_stopped_worker_keeps_its_jobs(
    redis_server: RedisServer, worker: Program, make_reader: MakeReader
) -> None:
    """Its jobs are orphans by Dramatiq's rule while it sends no heartbeats, and not afterwards."""
    reader = make_reader(redis_server.url, queues=("chat",), heartbeat_timeout=3.0)
    send(redis_server, 600)
    wait_until(lambda: worker_knows(reader.read(), 1, 0))
    os.killpg(worker.pid, signal.SIGSTOP)
    wait_until(lambda: audited(reader).orphaned == 1)
    os.killpg(worker.pid, signal.SIGCONT)
    wait_until(lambda: audited(reader).orphaned == 0)


def test_the_memory_of_the_messages_is_what_redis_estimates(
    redis_server: RedisServer, make_reader: MakeReader
) -> None:
    """By state: 50 KB for each of the waiting and the delayed jobs, and nothing for dead ones."""
    broker = RedisBroker(url=redis_server.url, middleware=[])
    for delay in (None, None, 3_600_000):
        message: Any = dramatiq.Message(
            queue_name="chat", actor_name="work", args=("x" * 50_000,), kwargs={}, options={}
        )
        broker.enqueue(message, delay=delay)
    broker.client.close()
    sizes = audited(make_reader(redis_server.url, queues=("chat",))).sizes
    assert sizes["dead"] == 0
    assert sizes["waiting"] == pytest.approx(100_000, rel=0.3)
    assert sizes["delayed"] == pytest.approx(50_000, rel=0.3)
