"""When a flusher calls and what it reports; the tests make each of its steps."""

from __future__ import annotations

import itertools
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
from bioagents_worker._link import NoReplyError
from bioagents_worker._tally import Tally
from bioagents_worker.wire import Keys, missing_after
from support.redis_server import RedisServer

KEYS = Keys("dramatiq")
WORKER = SimpleNamespace(
    worker_threads=0, workers=[], consumers={}, work_queue=SimpleNamespace(queue=[])
)  # fmt: skip


class ByHand(Flusher):
    """A flusher whose thread is not started."""

    def __init__(self, broker: RedisBroker, client: redis.Redis, *, works: bool = True) -> None:
        self.recorder, self.tally = Recorder(), Tally(())
        super().__init__(broker, self.recorder, self.tally, min_interval=0.1)
        self.local, self.client = ThreadLocal(self.recorder), client
        if works:
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
    by_hand.step()  # learns the epoch
    clock.now += 1
    by_hand.step()  # counts the start
    yield by_hand
    by_hand._link.close()


@pytest.mark.usefixtures("clock")
def test_first_step_takes_the_first_counts(broker: RedisBroker, redis_server: RedisServer) -> None:
    """It learns the epoch and sends what was counted before: a script may end right after it."""
    fresh = ByHand(broker, redis_server.client(decode_responses=True))
    fresh.happens()
    fresh.step()
    assert fresh.client.hget(KEYS.totals("q"), "processed|(unknown)") == "1"
    fresh._link.close()


@pytest.mark.parametrize("idle", [0.0, 3.0])
def test_counts_are_sent_within_the_shortest_interval(
    by_hand: ByHand, clock: SimpleNamespace, idle: float
) -> None:
    """Of a small fleet: from a job until the call that carries it, after a call just now or long ago."""
    clock.now += 1
    by_hand.happens()
    by_hand.step()
    clock.now += idle
    by_hand.step()
    asleep, counted = [by_hand._pause()], ""
    by_hand.happens()  # just after the flusher fell asleep
    while counted != "2":
        clock.now += asleep[-1]
        by_hand.step()
        counted = str(by_hand.client.hget(KEYS.totals("q"), "processed|(unknown)"))
        asleep.append(by_hand._pause())
    assert sum(asleep[:-1]) <= 0.1


def test_draining_is_reported_before_a_heartbeat_is_due(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """An idle worker has a heartbeat every five seconds; that it drains is reported at once."""
    clock.now += 1
    before = by_hand.beat
    by_hand.step()
    assert by_hand.beat == before, "nothing to report"
    by_hand.drain(WORKER)
    by_hand.step()
    assert by_hand.beat["draining"]


def test_errors_are_counted_once(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """Errors of hooks are added once to the total of their cause, however many calls follow."""
    for _ in range(2):
        by_hand.tally.failures.add("hook", ValueError(), "a test")
    for _ in range(3):
        clock.now += 10
        by_hand.step()
    assert by_hand.client.hget(KEYS.totals(""), "errors|hook") == "2"


@pytest.mark.parametrize(("hosts", "label"), [(990, "late"), (1_000, "(other)")])
def test_hosts_in_the_count_of_starts_are_bounded(
    broker: RedisBroker, by_hand: ByHand, monkeypatch: pytest.MonkeyPatch, hosts: int, label: str
) -> None:  # fmt: skip
    """Above the bound a new host counts as (other), as pods have new names; a known host keeps its label."""
    by_hand.client.hset(KEYS.totals(""), mapping={f"boots|host-{i}": 1 for i in range(hosts)})
    for host in ("late", "host-0"):
        monkeypatch.setattr(flusher.socket, "gethostname", lambda name=host: name)
        worker = ByHand(broker, by_hand.client)
        worker.step()
        assert worker._sign_off()
        worker._link.close()
    boots = by_hand.client.hgetall(KEYS.totals(""))
    assert (boots["boots|host-0"], boots[f"boots|{label}"]) == ("2", "1")


def test_idle_worker_of_a_medium_fleet_reports_a_job_at_once(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """It sleeps until a call is allowed, and then checks twice in its shortest interval."""
    by_hand.client.hset(KEYS.producers, mapping={str(i): 1 for i in range(int(0.5 * flusher.FLEET_CALLS))})
    clock.now += 10
    by_hand.step()
    assert by_hand._pause() == pytest.approx(0.5, rel=0.11)
    clock.now += 0.6
    by_hand.step()
    assert by_hand._pause() == 0.05
    before = by_hand.beat
    by_hand.happens()
    by_hand.step()
    assert by_hand.beat != before


def test_workers_of_a_large_fleet_call_less_often(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """The interval grows with the fleet, and the heartbeat has it, so that no worker seems missing."""
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


@pytest.mark.parametrize(
    ("role", "dead", "living"),
    [
        ("producers", 6_000, 0),
        ("producers", 20_000, 0),
        ("beats", 4_000, 0),
        ("producers", 6_000, 3_000),
        ("beats", 4_000, 3_000),
    ],
)
def test_interval_follows_the_callers_that_live(
    by_hand: ByHand, clock: SimpleNamespace, role: str, dead: int, living: int
) -> None:
    """Callers that ended without a sign-off within the last day make no worker report later."""
    callers(by_hand, role, living, age=5)
    callers(by_hand, role, dead, age=3600)
    by_hand.client.delete(KEYS.sweep)  # its lifetime has passed
    by_hand.happens()
    clock.now += 17
    by_hand.step()  # the call learns the size of the fleet, and the sweep that most of it is gone
    clock.now += 1
    by_hand.step()
    expected = max(0.1, living / flusher.FLEET_CALLS)
    assert by_hand._interval == pytest.approx(expected, rel=0.11)


@pytest.mark.parametrize("dead", [0, 9_000])
def test_no_heartbeat_is_later_than_the_last_one_announced(
    by_hand: ByHand, clock: SimpleNamespace, dead: int
) -> None:
    """A worker that starts in a large fleet, or whose fleet grows and shrinks, never seems to be missing."""
    callers(by_hand, "producers", dead, age=3600)
    beats = [(clock.now, by_hand.beat)]
    for second in range(180):
        if second == 60:
            callers(by_hand, "producers", 9_000, age=0)
            by_hand.client.delete(KEYS.sweep)
        by_hand.happens()
        clock.now += 1
        by_hand.step()
        if by_hand.beat["at"] != beats[-1][1]["at"]:
            beats.append((clock.now, by_hand.beat))
    gaps = [(later - now, beat["interval"]) for (now, beat), (later, _) in itertools.pairwise(beats)]
    assert [gap for gap, interval in gaps if gap >= missing_after(interval)] == []
    assert max(gap for gap, _ in gaps) > 25, "the fleet is large"


def test_a_producer_is_not_slowed_by_the_dead(
    broker: RedisBroker, redis_server: RedisServer, clock: SimpleNamespace
) -> None:
    """In a fleet without workers the producers sweep, if they may call less often than usual."""
    producer = ByHand(broker, redis_server.client(decode_responses=True), works=False)
    producer.happens()
    producer.step()
    assert not producer.client.exists(KEYS.sweep), "not slowed down"
    callers(producer, "producers", 6_000, age=3600)
    for _ in range(60):
        producer.happens()
        clock.now += 1
        producer.step()
    assert producer._interval == pytest.approx(0.1, rel=0.11)
    producer._link.close()


def callers(by_hand: ByHand, role: str, n: int, *, age: float) -> None:
    """Callers whose last call was ``age`` seconds ago."""
    at = time.time_ns() // 1000 - int(age * 1e6)
    entries = {f"{age}-{i}": f"{at}\n{{}}\n{{}}" if role == "beats" else str(at) for i in range(n)}
    if entries:
        by_hand.client.hset(getattr(KEYS, role), mapping=entries)


def test_flush_age_is_the_age_of_waiting_counts(
    by_hand: ByHand, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows while Redis does not answer, and is left out when the counts have been sent."""
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


def test_skew_is_positive_if_our_clock_is_ahead(
    by_hand: ByHand, clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the worker's clock minus Redis' clock, in the next heartbeat."""
    real: Callable[[], int] = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3600 * 10**9)
    for _ in range(2):
        clock.now += 10
        by_hand.step()
    assert by_hand.beat["skew"] == pytest.approx(3600, rel=0.01)


def test_remembered_attempts_are_bounded(by_hand: ByHand, clock: SimpleNamespace) -> None:
    """While no worker is missing, only the last attempts are kept; once they were looked up, none."""
    for _ in range(flusher._MAX_STARTED + 10):
        by_hand.happens()
    clock.now += 1
    by_hand.step()
    assert len(by_hand.tally.started) == flusher._MAX_STARTED
    by_hand._sweep.watching = True
    clock.now += 1
    by_hand.step()
    assert by_hand.tally.started == []


def _refuse(*_: object, **__: object) -> None:
    raise NoReplyError("away")
