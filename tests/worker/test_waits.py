"""The wait of real jobs: from the moment at which a job may run, however its delay was given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics
from support.redis_server import RedisServer
from worker.test_middleware import Totals, run_worker

#: Milliseconds of the delays below; a wait that includes one is longer than LATE.
DELAY = 1000
LATE = 0.7

Actor = dramatiq.Actor[Any, Any]
#: Kind of delay → how to send such a job.
Kinds = dict[str, Callable[[Actor], object]]


def now_ms() -> float:
    return time.time() * 1000


def with_eta(actor: Actor, eta: float) -> None:
    """Send a message whose ``eta`` the application sets."""
    actor.broker.enqueue(actor.message_with_options(eta=eta))


DELAYED: Kinds = {
    "delay": lambda actor: actor.send_with_options(delay=DELAY),
    "float_delay": lambda actor: actor.send_with_options(delay=DELAY + 0.5),
    "eta": lambda actor: with_eta(actor, round(now_ms()) + DELAY),
    "float_eta": lambda actor: with_eta(actor, now_ms() + DELAY),
}
OVER: Kinds = {
    "past_eta": lambda actor: with_eta(actor, now_ms() - 60_000),
    "tiny_eta": lambda actor: with_eta(actor, 5),
    "text_eta": lambda actor: with_eta(actor, "soon"),  # type: ignore[arg-type] - a mistake of an application
    "negative_delay": lambda actor: actor.send_with_options(delay=-60_000),
}


@pytest.fixture
def plain(redis_server: RedisServer) -> Iterator[RedisBroker]:
    """The broker of a producer without JobMetrics."""
    broker = RedisBroker(url=redis_server.url, middleware=[])
    yield broker
    broker.close()


def declared(broker: RedisBroker, name: str, work: Callable[[], None] = lambda: None) -> Actor:
    return dramatiq.actor(work, broker=broker, actor_name=name)


def waits(broker: RedisBroker, totals: Totals, names: list[str]) -> dict[str, float]:
    """Actor → seconds that its job waited, once a worker has run the jobs of all."""
    run_worker(broker, lambda: all(totals().get(f"succeeded|{name}") for name in names))
    counts = totals()
    return {name: counts[f"wait_us|{name}"] / 1e6 for name in names}


def send(broker: RedisBroker, plain: RedisBroker, kinds: Kinds) -> list[str]:
    """A job of each kind from a producer with JobMetrics and from one without; the names of their actors."""
    ours = {kind: declared(broker, kind) for kind in kinds}
    others = {f"{kind}_plain": declared(plain, f"{kind}_plain") for kind in kinds}
    for name in others:
        declared(broker, name)
    for name, actor in (ours | others).items():
        kinds[name.removesuffix("_plain")](actor)
    return [*ours, *others]


@pytest.mark.parametrize("kinds", [DELAYED, OVER], ids=["delayed", "over"])
def test_a_delay_is_no_wait(broker: RedisBroker, plain: RedisBroker, totals: Totals, kinds: Kinds) -> None:
    """With any number as its delay or ``eta``, from any producer, a job waits from then on.

    Not before it was sent, if that time is over or no time at all: Dramatiq runs such a job at once.
    """
    broker.add_middleware(JobMetrics())
    found = waits(broker, totals, send(broker, plain, kinds))
    assert {name: wait for name, wait in found.items() if wait >= LATE} == {}


def test_an_overdue_job_waits(broker: RedisBroker, plain: RedisBroker, totals: Totals) -> None:
    """Before any worker runs, from its due time on, not from the time at which a worker fetches it."""
    broker.add_middleware(JobMetrics())
    names = send(broker, plain, DELAYED)
    time.sleep(DELAY / 1000 + 1)
    found = waits(broker, totals, names)
    assert {name: wait for name, wait in found.items() if not 1 <= wait < 1 + LATE} == {}


def test_a_back_off_is_no_wait(broker: RedisBroker, totals: Totals) -> None:
    """``Retry(delay=…)`` with an integer or a float."""
    broker.add_middleware(JobMetrics())

    def failing_once(delay: float) -> Callable[[], None]:
        errors = [dramatiq.Retry(delay=delay)]  # type: ignore[arg-type] - Dramatiq takes a float too

        def work() -> None:
            if errors:
                raise errors.pop()

        return work

    for name, delay in (("whole", DELAY), ("float", DELAY + 0.5)):
        declared(broker, name, failing_once(delay)).send()
    assert max(waits(broker, totals, ["whole", "float"]).values()) < LATE


def test_a_timestamp_may_be_a_float(broker: RedisBroker, plain: RedisBroker, totals: Totals) -> None:
    """Producers in other languages wrote both messages a minute ago: the jobs have waited for a minute."""
    broker.add_middleware(JobMetrics())
    for name, timestamp in (("whole", round(now_ms()) - 60_000), ("float", now_ms() - 60_000)):
        declared(broker, name)
        message = declared(plain, name).message().copy(message_timestamp=timestamp)
        plain.enqueue(message)
    found = waits(broker, totals, ["whole", "float"])
    assert {name: wait for name, wait in found.items() if not 60 <= wait < 60 + LATE} == {}
