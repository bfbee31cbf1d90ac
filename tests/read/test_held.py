"""What a worker holds, by its heartbeat and in Redis: messages enqueued twice, wrapped consumers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker

from bioagents_exporter.derive import Memory, derive
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import Settings
from bioagents_worker import JobMetrics
from read.conftest import MakeReader
from support.polling import wait_until
from support.redis_server import RedisServer

Actor = dramatiq.Actor[Any, Any]
HOUR = 3_600_000  # ms


class Wrapper(Consumer):
    """A consumer around Dramatiq's, as an application writes it to trace or to throttle what it fetches."""

    def __init__(self, consumer: Consumer) -> None:
        self._inner = consumer

    def __next__(self) -> MessageProxy | None:
        """Fetch."""
        return next(self._inner)

    def ack(self, message: MessageProxy) -> None:
        self._inner.ack(message)

    def nack(self, message: MessageProxy) -> None:
        self._inner.nack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._inner.requeue(messages)


class WrappingBroker(RedisBroker):
    """Wraps the consumers of the queue ``hidden``."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        consumer = super().consume(queue_name, prefetch, timeout)
        return Wrapper(consumer) if queue_name.startswith("hidden") else consumer


class Fleet:
    """A worker in this process, with one thread and JobMetrics, and a reader of its Redis."""

    def __init__(self, server: RedisServer, reader: Reader) -> None:
        self.server, self.reader = server, reader
        self.broker = WrappingBroker(url=server.url)
        self.broker.add_middleware(JobMetrics(min_interval=0.01))
        self.release = threading.Event()
        self.worker = dramatiq.Worker(self.broker, worker_timeout=20, worker_threads=1)

    def actor(self, queue: str) -> Actor:
        """An actor of a queue; those of the queue ``busy`` run until ``release``."""

        def work() -> None:
            if queue == "busy":
                self.release.wait()

        return dramatiq.actor(work, broker=self.broker, actor_name=queue, queue_name=queue)

    def sizes(self, queue: str) -> int:
        """Jobs in the acknowledgement sets of the worker."""
        with self.server.client() as client:
            key = f"dramatiq:__acks__.{self.broker.broker_id}.{queue}"
            return client.scard(key) + client.scard(key + ".DQ")

    def audited(self, heartbeats: int = 4) -> Snapshot:
        """What is read after several audits, with a heartbeat and more between them."""
        wait_until(lambda: self.reader.read().workers, what="the first heartbeat")
        for _ in range(heartbeats):
            seen = self.reader.read().workers[0].seen
            self.reader.audit()
            self.beat(seen)
        self.reader.audit()
        return self.reader.read()

    def beat(self, before: float) -> None:
        """Wait for the next heartbeat, without the five seconds that an idle worker takes."""
        flusher = next(m for m in self.broker.middleware if isinstance(m, JobMetrics))._flusher
        assert flusher is not None
        flusher._urgent = True
        wait_until(lambda: self.reader.read().workers[0].seen > before, what="a heartbeat")


@pytest.fixture
def fleet(redis_server: RedisServer, make_reader: MakeReader) -> Iterator[Fleet]:
    """Started by the test, once it has declared its actors."""
    fleet = Fleet(redis_server, make_reader(redis_server.url))
    yield fleet
    fleet.release.set()
    fleet.worker.stop()
    close(fleet.broker)


def close(broker: RedisBroker) -> None:
    """End what the broker and its JobMetrics still do."""
    for middleware in broker.middleware:
        if isinstance(middleware, JobMetrics):
            middleware._stop()
    broker.close()


def three_times(actor: Actor, *, delay: int | None = None, **options: float) -> None:
    """Enqueue one message three times."""
    message = actor.message_with_options(**options)
    for _ in range(3):
        actor.broker.enqueue(message, delay=delay)


def test_a_message_that_is_enqueued_three_times_is_held_three_times(fleet: Fleet) -> None:
    """With a delay, with an ``eta``, behind a running job: what Redis holds is what the worker reports."""
    kinds: dict[str, Any] = {
        "delayed": {"delay": HOUR},
        "due": {"eta": time.time() * 1000 + HOUR},
        "busy": {},
    }
    actors = {queue: fleet.actor(queue) for queue in kinds}
    fleet.worker.start()
    for queue, options in kinds.items():
        three_times(actors[queue], **options)
    wait_until(lambda: all(fleet.sizes(queue) == 3 for queue in kinds), what="nine jobs held")
    snapshot = fleet.audited()
    assert {queue: audit.stuck for queue, audit in snapshot.audits.items()} == dict.fromkeys(kinds, 0)
    (worker,) = snapshot.workers
    assert (worker.state.delayed, worker.state.held) == ({"delayed": 3}, {"due": 3, "busy": 3})


def test_what_a_wrapped_consumer_holds_is_unknown(fleet: Fleet) -> None:
    """Neither stuck nor held: the queue is named in the heartbeat, and the others are counted as ever."""
    hidden, delayed = fleet.actor("hidden"), fleet.actor("delayed")
    fleet.worker.start()
    for _ in range(5):
        hidden.send_with_options(delay=HOUR)
        delayed.send_with_options(delay=HOUR)
    wait_until(lambda: (fleet.sizes("hidden"), fleet.sizes("delayed")) == (5, 5))
    snapshot = fleet.audited()
    found = {queue: (audit.stuck, audit.unheld) for queue, audit in snapshot.audits.items()}
    assert found == {"hidden": (None, 0), "delayed": (0, 0)}
    assert snapshot.workers[0].state.uncounted == ("hidden",)


def age(reader: Reader, queue: str) -> float:
    """The published age of the next job, after an audit of the last read."""
    reader.read()
    reader.audit()
    name = "queue_oldest_job_age_seconds"
    found = {family.metric.name: family for family in derive(reader.read(), Memory(), Settings(), 0.0)}[name]
    return float(dict(zip(found.keys, found.values, strict=True))[queue,])


@pytest.mark.parametrize("ours", [True, False], ids=["JobMetrics", "none"])
def test_a_job_with_an_eta_waits_from_then_on(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader, *, ours: bool
) -> None:
    """Before any worker, in a list; a job behind it waits from its enqueue on."""
    broker = RedisBroker(url=shared_redis.url, middleware=[JobMetrics()] if ours else [])
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act", queue_name="mail")
    reader = make_reader(shared_redis.url, queues=("mail",))
    three_times(actor, eta=time.time() * 1000 + HOUR)
    assert age(reader, "mail") == 0
    sent = time.time() - 0.001  # messages have whole milliseconds
    actor.send()
    time.sleep(0.2)
    assert 0.2 <= age(reader, "mail") <= time.time() - sent
    client.ltrim("dramatiq:mail", 0, 2)
    assert age(reader, "mail") == 0
    client.delete("dramatiq:mail")
    due = time.time() + 0.2
    broker.enqueue(actor.message_with_options(eta=due * 1000))
    wait_until(lambda: time.time() > due + 0.2)
    assert 0.2 <= age(reader, "mail") <= time.time() - due
    close(broker)
