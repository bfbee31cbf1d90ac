"""JobMetrics in workers, in producers and in an application's own tests."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from bioagents_worker import ConfigurationError, JobMetrics
from bioagents_worker.wire import READY_OPTION, Keys
from support.polling import wait_until
from support.redis_server import RedisServer

Totals = Callable[..., dict[str, int]]


def declare(broker: dramatiq.Broker, **options: object) -> dramatiq.Actor[..., object]:
    return dramatiq.actor(lambda: None, broker=broker, actor_name="act", **options)  # type: ignore[call-overload]


def run_worker(broker: RedisBroker, until: Callable[[], object]) -> None:
    worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=2)
    worker.start()
    try:
        wait_until(until)
    finally:
        worker.stop()


def test_stub_broker_is_left_alone() -> None:
    """With the stub broker of an application's tests JobMetrics does nothing."""
    broker = StubBroker()
    broker.add_middleware(JobMetrics())
    actor = declare(broker)
    worker = dramatiq.Worker(broker, worker_timeout=50)
    worker.start()
    actor.send()
    broker.join("default")
    worker.stop()


@pytest.mark.parametrize("declared", [False, True])
def test_twice_is_an_error(broker: RedisBroker, *, declared: bool) -> None:
    """A second JobMetrics raises at the declaration of an actor, or at once if one is declared."""
    broker.add_middleware(JobMetrics())
    if declared:
        declare(broker)
    with pytest.raises(ConfigurationError, match="twice"):  # noqa: PT012 - one of the two
        broker.add_middleware(JobMetrics())
        declare(broker)


def test_other_brokers_are_refused() -> None:
    """A broker that does not use Redis is an error that names its class."""

    class Rabbit(dramatiq.Broker):
        def declare_queue(self, queue_name: str) -> None:
            self.emit_before("declare_queue", queue_name)

    broker = Rabbit(middleware=[JobMetrics()])
    with pytest.raises(ConfigurationError, match="needs a RedisBroker, got a Rabbit"):
        broker.declare_queue("q")


def test_bad_options_are_errors() -> None:
    """The message names the option and the value; both bounds of the interval are allowed."""
    bad: list[dict[str, Any]] = [
        *({"min_interval": value} for value in (0, 30.1, float("nan"), True, "1")), {"version": 3},
    ]  # fmt: skip
    for options in bad:
        ((name, value),) = options.items()
        with pytest.raises(ConfigurationError, match=f"{name} must be.*got {value!r}"):
            JobMetrics(**options)
    assert all(JobMetrics(min_interval=interval) for interval in (0.01, 30))


def test_namespace_that_cannot_be_monitored_is_an_error() -> None:
    """The message names it; one with a hash tag for Redis Cluster is accepted (see test_wire.py)."""
    for namespace, error in (("a{b", True), ("app{7}jobs", False)):
        broker = RedisBroker(url="redis://127.0.0.1:1/0", namespace=namespace)
        broker.add_middleware(JobMetrics())
        expected = pytest.raises(ConfigurationError, match=r"namespace 'a\{b': expected the namespace")
        with expected if error else nullcontext():
            declare(broker)


@pytest.mark.parametrize("early", [True, False])
def test_it_moves_to_the_front(redis_server: RedisServer, *, early: bool) -> None:
    """Added last or given to the constructor, it is first as soon as an actor is declared."""
    metrics = JobMetrics()
    given = [dramatiq.middleware.Retries(), metrics] if early else None
    broker = RedisBroker(url=redis_server.url, middleware=given)
    if not early:
        broker.add_middleware(metrics)
    declare(broker)
    assert broker.middleware[0] is metrics


def test_producer_counts_each_job_once(broker: RedisBroker, totals: Totals) -> None:
    """Direct and delayed jobs are counted once, and the series of the declared actor exist at 0."""
    broker.add_middleware(JobMetrics())
    actor = declare(broker)
    for _ in range(5):
        actor.send()
    actor.send_with_options(delay=60_000)
    wait_until(lambda: totals().get("enqueued|act") == 6, what="enqueued")
    assert totals()["processed|act"] == 0


def test_embedded_worker_counts_and_signs_off(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer
) -> None:
    """A producer becomes a worker in the same process, and its heartbeat is removed at its end."""
    broker.add_middleware(JobMetrics())
    actor = declare(broker)
    actor.send()
    client, keys = redis_server.client(), Keys("dramatiq")
    run_worker(broker, lambda: totals().get("succeeded|act") == 1 and client.hlen(keys.beats) == 1)
    assert (client.hlen(keys.beats), client.hlen(keys.producers), client.hlen(keys.gone)) == (0, 0, 1)
    assert totals("")[f"boots|{os.uname().nodename}"] == 1


def test_worker_has_a_heartbeat_if_a_job_starts_the_flusher(
    broker: RedisBroker, redis_server: RedisServer
) -> None:
    """A job may run, and enqueue others, before Dramatiq calls after_worker_boot."""
    metrics = JobMetrics()
    broker.add_middleware(metrics)
    declare(broker)
    assert metrics._starting.acquire(blocking=False)  # as a worker thread does that starts it
    threading.Timer(0.2, metrics._starting.release).start()
    metrics.after_worker_boot(broker, dramatiq.Worker(broker))
    wait_until(lambda: redis_server.client().hlen(Keys("dramatiq").beats) == 1, what="a heartbeat")


def test_stopping_worker_drains(broker: RedisBroker, redis_server: RedisServer) -> None:
    """Its heartbeat reports draining from before_worker_shutdown on, while its jobs still run."""
    metrics, client, key = JobMetrics(), redis_server.client(), Keys("dramatiq").beats
    broker.add_middleware(metrics)
    declare(broker)
    worker = dramatiq.Worker(broker)
    metrics.after_worker_boot(broker, worker)
    wait_until(lambda: client.hlen(key) == 1)
    metrics.before_worker_shutdown(broker, worker)
    wait_until(lambda: b'"draining":true' in client.hvals(key)[0], what="draining")


def since_us(ms: int) -> int:
    """Microseconds from a Unix time in ms until now."""
    return time.time_ns() // 1000 - ms * 1000


def test_delayed_job_counts_once_and_waits_from_its_eta(broker: RedisBroker, totals: Totals) -> None:
    """Moving from ``.DQ`` to its queue is not an enqueue, and the delay is not part of the wait."""
    broker.add_middleware(JobMetrics())
    eta = declare(broker).send_with_options(delay=1500).options["eta"]
    run_worker(broker, lambda: totals().get("succeeded|act"))
    counts = totals()
    assert (counts["enqueued|act"], counts["processed|act"]) == (1, 1)
    assert counts["wait_us|act"] <= since_us(eta)


def test_delayed_job_waits_from_its_eta_if_no_worker_runs(broker: RedisBroker, totals: Totals) -> None:
    """Not from the moment at which a worker moved it to its queue."""
    broker.add_middleware(JobMetrics())
    eta = declare(broker).send_with_options(delay=1).options["eta"]
    time.sleep(1)
    waited_us = since_us(eta)
    run_worker(broker, lambda: totals().get("succeeded|act"))
    assert totals()["wait_us|act"] >= waited_us


def test_stamp_survives_and_resets(broker: RedisBroker, totals: Totals) -> None:
    """The stored message has the time it became ready; enqueued again it has a new one, and counts again."""
    metrics = JobMetrics()
    broker.add_middleware(metrics)
    actor = declare(broker)
    sent = actor.send()
    again = broker.enqueue(sent)
    assert again.options[READY_OPTION] >= sent.options[READY_OPTION] > 1_000_000_000_000
    metrics._stop()
    assert totals()["enqueued|act"] == 2


def test_dead_letter_put_back_arrives_again(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer
) -> None:
    """It has two enqueues and two attempts; the second wait starts when the job is requeued."""
    broker.add_middleware(JobMetrics())
    errors = [OSError()]

    def act() -> None:
        if errors:
            raise errors.pop()

    dramatiq.actor(act, broker=broker, actor_name="act", max_retries=0).send()
    run_worker(broker, lambda: totals().get("dead|act") == 1)
    (dead,) = redis_server.client().hvals("dramatiq:default.XQ.msgs")
    time.sleep(1)
    before, requeued_ms = totals()["wait_us|act"], time.time_ns() // 1_000_000
    broker.enqueue(dramatiq.Message.decode(dead))
    run_worker(broker, lambda: totals().get("succeeded|act") == 1)
    counts = totals()
    assert (counts["enqueued|act"], counts["processed|act"]) == (2, 2)
    assert counts["wait_us|act"] - before <= since_us(requeued_ms)


def test_jobs_of_a_producer_without_us_are_not_enqueued(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer
) -> None:
    """Neither when they move from ``.DQ`` nor at a retry; everything else about them is counted."""
    metrics, errors = JobMetrics(), [OSError()]
    broker.add_middleware(metrics)

    def act() -> None:
        if errors:
            raise errors.pop()

    dramatiq.actor(act, broker=broker, actor_name="act", max_retries=1, min_backoff=100, max_backoff=100)
    plain = RedisBroker(url=redis_server.url)
    declare(plain).send_with_options(delay=300)
    run_worker(broker, lambda: totals().get("succeeded|act"))
    counts = totals()
    assert "enqueued|act" not in counts
    assert (counts["processed|act"], counts["retries|act"]) == (2, 1)
    plain.close()


def test_worker_keeps_counts_while_redis_is_away(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Counts made while Redis does not answer arrive later; the change is logged once."""
    metrics = JobMetrics()
    broker.add_middleware(metrics)
    actor = declare(broker)
    actor.send()
    wait_until(lambda: totals().get("enqueued|act") == 1)
    redis_server.pause()
    try:
        metrics._local.append((0, 0, "default", "act", "id", 0, 0))
        metrics._local.append((1, 5, None, False))
        flusher = metrics._flusher
        assert flusher
        wait_until(lambda: not flusher._calls.reachable, timeout=20)
    finally:
        redis_server.resume()
    wait_until(lambda: totals().get("processed|act") == 1)
    assert len([r for r in caplog.records if "cannot send counts to Redis" in r.message]) == 1


def test_bug_in_a_hook_fails_no_job(
    broker: RedisBroker, totals: Totals, caplog: pytest.LogCaptureFixture
) -> None:
    """The error is counted each time and logged once."""
    metrics = JobMetrics()
    broker.add_middleware(metrics)
    actor = declare(broker)
    actor.send()
    wait_until(lambda: totals().get("enqueued|act") == 1)
    message = actor.message()
    del message.__dict__["options"]
    with caplog.at_level(logging.ERROR):
        metrics.before_enqueue(broker, message, None)
        metrics.before_enqueue(broker, message, None)
    wait_until(lambda: totals("").get("errors|hook") == 2)
    assert len([r for r in caplog.records if "JobMetrics failed in before_enqueue" in r.message]) == 1


PRODUCER = """
import os, sys, multiprocessing, dramatiq
from dramatiq.brokers.redis import RedisBroker
from bioagents_worker import JobMetrics
broker = RedisBroker(url=sys.argv[1])
broker.add_middleware(JobMetrics())
act = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
def child():
    for _ in range(3):
        act.send()
if __name__ == "__main__":
    act.send()
    for _ in range(2):
        process = multiprocessing.get_context(sys.argv[2]).Process(target=child)
        process.start()
        process.join()
    act.send()
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_short_script_and_its_children(
    tmp_path: Path, redis_server: RedisServer, totals: Totals, method: str
) -> None:
    """A producer that forks after its first job, or spawns: each process sends its own counts."""
    script = tmp_path / "producer.py"
    script.write_text(PRODUCER)
    subprocess.run([sys.executable, script, redis_server.url, method], check=True, timeout=60)
    assert totals()["enqueued|act"] == 8


def test_late_declared_actor_gets_its_zeros(broker: RedisBroker, totals: Totals) -> None:
    """Its series exist, although its module is imported after the first job."""
    broker.add_middleware(JobMetrics())
    declare(broker).send()
    wait_until(lambda: totals().get("enqueued|act") == 1)
    dramatiq.actor(lambda: None, broker=broker, actor_name="late", queue_name="other")
    wait_until(lambda: totals("other") == {"processed|late": 0})


def test_zeros_are_sent_again_in_a_new_epoch(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer
) -> None:
    """After FLUSHALL every series of a declared actor exists again, even if nothing happens in it."""
    broker.add_middleware(JobMetrics())
    actor = declare(broker)
    dramatiq.actor(lambda: None, broker=broker, actor_name="idle", queue_name="other")
    actor.send()
    wait_until(lambda: totals("other") == {"processed|idle": 0})
    redis_server.client().flushall()
    actor.send()
    wait_until(lambda: totals("other") == {"processed|idle": 0}, what="the zeros again")
