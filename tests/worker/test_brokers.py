"""Brokers that are not what they look like: proxies, brokers that are made late, one JobMetrics on two."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from bioagents_worker import JobMetrics
from support.polling import wait_until
from support.redis_server import RedisServer

Totals = Callable[..., dict[str, int]]


class Proxy(RedisBroker):
    """A RedisBroker by its class that has nothing of its own, as that of flask-melodramatiq.

    That package does not run with Dramatiq 2: its constructor calls ``Results()`` without a backend.
    """

    def __init__(self, real: dramatiq.Broker) -> None:
        object.__setattr__(self, "_real", real)

    def __getattr__(self, name: str) -> object:
        """Read it from the real broker."""
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: object) -> None:
        """Set it on the real broker."""
        setattr(self._real, name, value)


class Delegate(dramatiq.Broker):
    """No RedisBroker by its class, with middleware of its own; it passes all jobs to a RedisBroker."""

    def __init__(self, real: RedisBroker, *, middleware: list[dramatiq.Middleware]) -> None:
        self.real = real
        super().__init__(middleware=middleware)
        self.client, self.namespace, self.broker_id = real.client, real.namespace, real.broker_id

    def declare_queue(self, queue_name: str) -> None:
        self.real.declare_queue(queue_name)
        self.emit_after("declare_queue", queue_name)

    def get_declared_queues(self) -> set[str]:
        return set(self.real.get_declared_queues())

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        self.emit_before("enqueue", message, delay)
        sent = self.real.enqueue(message, delay=delay)
        self.emit_after("enqueue", message, delay)
        return sent

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> Consumer:
        return self.real.consume(queue_name, prefetch, timeout)


def declare(broker: dramatiq.Broker, name: str = "act") -> dramatiq.Actor[..., object]:
    return broker.actors.get(name) or dramatiq.actor(lambda: None, broker=broker, actor_name=name)


def works(broker: dramatiq.Broker, totals: Totals) -> dict[str, int]:
    """The totals after one job, which a worker on ``broker`` runs."""
    declare(broker).send()
    worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=1)
    worker.start()
    try:
        wait_until(lambda: totals().get("succeeded|act"), what="the job is counted")
    finally:
        worker.stop()
        for middleware in broker.middleware:
            if isinstance(middleware, JobMetrics):
                middleware._stop()
    return totals()


def proxy_of(real: RedisBroker) -> dramatiq.Broker:
    """JobMetrics is bound to the real broker before the proxy exists, as actors were declared there."""
    real.add_middleware(JobMetrics())
    declare(real)
    return Proxy(real)


def proxy_first(real: RedisBroker) -> dramatiq.Broker:
    """JobMetrics is bound to the proxy, and sees the real broker later."""
    proxy = Proxy(real)
    proxy.add_middleware(JobMetrics())
    declare(proxy)
    declare(real, "late")
    return proxy


def made_late(real: RedisBroker) -> dramatiq.Broker:
    """A StubBroker takes the place of the real broker until the application is configured."""
    metrics = JobMetrics()
    stub = StubBroker(middleware=[metrics])
    declare(stub)
    real.add_middleware(metrics)
    return real


def delegate(real: RedisBroker) -> dramatiq.Broker:
    """The broker with JobMetrics passes everything to another one."""
    return Delegate(real, middleware=[JobMetrics()])


@pytest.mark.parametrize("form", [proxy_of, proxy_first, made_late, delegate])
def test_worker_runs_on_whatever_leads_to_its_broker(
    broker: RedisBroker,
    totals: Totals,
    form: Callable[[RedisBroker], dramatiq.Broker],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The worker boots, its job is counted once at each step, and nothing is warned of."""
    with caplog.at_level(logging.WARNING, "bioagents_worker"):
        counts = works(form(broker), totals)
    assert caplog.messages == []
    assert [counts[f"{name}|act"] for name in ("enqueued", "processed", "succeeded")] == [1, 1, 1]


def test_one_job_metrics_on_two_brokers_stops_no_worker(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The second broker gets its own, so that its jobs are counted in its own namespace; one warning."""
    metrics = JobMetrics(version="7")
    broker.add_middleware(metrics)
    declare(broker)
    other = RedisBroker(url=redis_server.url, namespace="other")
    with caplog.at_level(logging.WARNING, "bioagents_worker"):
        other.add_middleware(metrics)
        declare(other)
        declare(other, "late")
    own = other.middleware[0]
    assert isinstance(own, JobMetrics)
    assert (own is metrics, own._version, metrics in other.middleware) == (False, "7", False)
    assert [r.message for r in caplog.records] == [
        "one JobMetrics was added to two brokers; the second one gets its own"
    ]
    declare(other).send()
    own._stop()
    assert works(broker, totals)["enqueued|act"] == 1
    other.close()
