"""When a flusher calls, and what it tells of itself; its steps are made by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import _events as events
from bioagents_worker import _flusher as flusher
from bioagents_worker._events import Recorder, ThreadLocal
from bioagents_worker._flusher import Flusher
from bioagents_worker._heartbeat import Heartbeat
from bioagents_worker._tally import Tally
from bioagents_worker.wire import Keys
from support.redis_server import RedisServer

KEYS = Keys("dramatiq")
WORKER = SimpleNamespace(
    consumer_whitelist=None, worker_threads=0, workers=[], consumers={}, work_queue=SimpleNamespace(queue=[])
)  # fmt: skip


class ByHand(Flusher):
    """Not started; ``now`` is its clock."""

    def __init__(self, broker: RedisBroker, client: redis.Redis) -> None:
        self.recorder, self.tally = Recorder(), Tally(())
        super().__init__(broker, self.recorder, self.tally, min_interval=0.1)
        self.local, self.client = ThreadLocal(self.recorder), client
        self.become_worker(Heartbeat(broker, WORKER, self.tally, version=""))

    def happens(self) -> None:
        """A job."""
        self.local.append((events.START, time.monotonic_ns(), "q", "act", "id", 0, 0))
        self.local.append((events.END, time.monotonic_ns(), None, False))

    @property
    def beat(self) -> dict[str, Any]:
        """The state in the last heartbeat, its time in ``at``."""
        at, _, state = self.client.hget(KEYS.beats, self.id).split("\n")  # type: ignore[union-attr]
        return {"at": at, **json.loads(state)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(flusher, "clock", lambda: clock.now)
    return clock


@pytest.fixture
def by_hand(broker: RedisBroker, redis_server: RedisServer, clock: SimpleNamespace) -> Iterator[ByHand]:
    by_hand = ByHand(broker, redis_server.client(decode_responses=True))
    by_hand.step()  # says hello
    clock.now += 1
    by_hand.step()  # counts the boot
    yield by_hand
    by_hand._link.close()


def test_drain_is_told_before_a_heartbeat_is_due(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """An idle worker speaks every five seconds; that it takes no more jobs cannot wait."""
    clock.now += 1
    before = by_hand.beat
    by_hand.step()
    assert by_hand.beat == before, "nothing to tell"
    by_hand.drain()
    by_hand.step()
    assert by_hand.beat["draining"]


def test_errors_are_counted_once(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """However many calls follow."""
    by_hand.errors += 2
    for _ in range(3):
        clock.now += 10
        by_hand.step()
    assert by_hand.client.hget(KEYS.totals(""), "errors|") == "2"


@pytest.mark.parametrize(("hosts", "label"), [(990, "late"), (1_000, "(other)")])
def test_hosts_that_boot_are_bounded(
    broker: RedisBroker, by_hand: ByHand, monkeypatch: pytest.MonkeyPatch, hosts: int, label: str
) -> None:  # fmt: skip
    """Pods have a new name each time; a host that is known goes on being counted."""
    by_hand.client.hset(KEYS.totals(""), mapping={f"boots|host-{i}": 1 for i in range(hosts)})
    for host in ("late", "host-0"):
        monkeypatch.setattr(flusher.socket, "gethostname", lambda name=host: name)
        worker = ByHand(broker, by_hand.client)
        worker.step()
        assert worker._sign_off()
        worker._link.close()
    boots = by_hand.client.hgetall(KEYS.totals(""))
    assert (boots["boots|host-0"], boots[f"boots|{label}"]) == ("2", "1")


def test_idle_worker_of_a_middling_fleet_sees_a_job_at_once(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """It sleeps until it may call, and then looks every tenth of a second."""
    by_hand.client.hset(KEYS.producers, mapping={str(i): 1 for i in range(int(0.5 * flusher.FLEET_CALLS))})
    clock.now += 10
    by_hand.step()
    assert by_hand._pause() == pytest.approx(0.5, rel=0.11)
    clock.now += 0.6
    by_hand.step()
    assert by_hand._pause() == 0.1
    before = by_hand.beat
    by_hand.happens()
    by_hand.step()
    assert by_hand.beat != before


def test_large_fleet_calls_seldom_and_says_so(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """The interval follows the size of the fleet, and the heartbeat names it: else all seem missing."""
    fleet = 20 * flusher.FLEET_CALLS  # every 20 s
    by_hand.client.hset(KEYS.producers, mapping={str(i): 1 for i in range(fleet)})
    clock.now += 10
    by_hand.step()
    clock.now += 30
    by_hand.step()
    before = by_hand.beat
    assert before["interval"] == pytest.approx(20, rel=0.11)
    by_hand.happens()
    clock.now += 15
    by_hand.step()
    assert by_hand.beat == before
    clock.now += 15
    by_hand.step()
    assert by_hand.beat["jobs"] == 1


def test_age_of_what_waits(by_hand: ByHand, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows while Redis does not answer, and ends with what waited."""
    by_hand.happens()
    with monkeypatch.context() as away:
        away.setattr(by_hand._link, "flush", _refuse)
        by_hand.step()
    clock.now += 30
    by_hand.step()
    assert by_hand.beat["flush_age"] == 30
    clock.now += 10
    by_hand.step()
    assert "flush_age" not in by_hand.beat


def test_skew_is_positive_where_our_clock_is_ahead(
    by_hand: ByHand, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's clock minus Redis'; told with the next heartbeat."""
    real: Callable[[], int] = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 60 * 10**9)
    for _ in range(2):
        clock.now += 10
        by_hand.step()
    assert by_hand.beat["skew"] == pytest.approx(60, abs=1)


def test_attempts_are_not_remembered_without_end(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """No worker is missing: nobody will ask for them."""
    for _ in range(flusher._MAX_STARTED + 10):
        by_hand.happens()
    clock.now += 1
    by_hand.step()
    assert len(by_hand.tally.started) == flusher._MAX_STARTED


def _refuse(*_: object, **__: object) -> None:
    raise redis.ConnectionError("away")
