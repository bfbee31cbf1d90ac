"""The sweep: missing workers are marked, their jobs claimed once, the dead removed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics
from bioagents_worker._failures import Failures
from bioagents_worker._link import Link, NoReplyError
from bioagents_worker._sweep import REAP_AGE, Sweep
from bioagents_worker._tally import Attempt
from bioagents_worker._workers import Workers
from bioagents_worker.wire import (
    Identity,
    Keys,
    RedisMessageId,
    RunningJob,
    State,
    encode_beat,
    encode_identity,
)
from support.redis_server import RedisServer
from worker.test_middleware import Totals, declare, run_worker

KEYS = Keys("dramatiq")
JOB = RedisMessageId("job-1")
ATTEMPT = Attempt(0, "q", "act", JOB)


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def link(redis_server: RedisServer) -> Iterator[Link]:
    link = Link(redis_server.client(), KEYS)
    yield link
    link.close()


def beat(link: Link, worker: str, *, age: float, interval: float = 5, job: RedisMessageId = JOB) -> None:
    identity = encode_identity(Identity("h", 1, worker, ("q",), 8, 1.0, "2", "3", "0"))
    body = encode_beat(identity, State(interval=interval, oldest=(RunningJob("q", "act", 1.0, job),)))
    link.command("HSET", KEYS.beats, worker, f"{now_us() - int(age * 1e6)}\n{body}")


def sweep(link: Link, me: str = "me") -> Sweep:
    link.command("DEL", KEYS.sweep)
    result = Sweep(link, KEYS, Workers(me, Failures()))
    result.run(now_us(), 0.1)
    return result


def test_job_of_a_missing_worker_is_claimed_once(link: Link) -> None:
    """By another worker; a second sweep does not offer it again."""
    beat(link, "gone", age=60)
    mine = sweep(link)
    assert mine.watching
    assert mine.claim([ATTEMPT]) == [ATTEMPT]
    assert mine.claim([ATTEMPT]) == []
    assert sweep(link).claim([ATTEMPT]) == []


def test_redelivery_is_of_one_enqueue(link: Link, broker: RedisBroker, totals: Totals) -> None:
    """A job was enqueued three times; one of the three was running in the missing worker."""
    broker.add_middleware(JobMetrics())
    message = declare(broker).message()
    sent = [broker.enqueue(message) for _ in range(3)]
    beat(link, "gone", age=60, job=sent[1].options["redis_message_id"])
    run_worker(broker, lambda: totals().get("succeeded|act") == 3 and totals().get("redelivered|act"))
    assert totals()["redelivered|act"] == 1


def test_returning_worker_does_not_claim_its_own(link: Link) -> None:
    """A paused worker continues its job, which is not a redelivery."""
    beat(link, "paused", age=60)
    assert sweep(link, "paused").claim([ATTEMPT]) == []


def test_worker_may_go_missing_again(link: Link) -> None:
    """If it was back in between, the jobs that it was running then are offered."""
    beat(link, "slow", age=60)
    assert sweep(link).claim([ATTEMPT]) == [ATTEMPT]
    beat(link, "slow", age=1)
    sweep(link)
    beat(link, "slow", age=60)
    assert sweep(link).claim([ATTEMPT]) == [ATTEMPT]


def test_living_worker_is_not_missing(link: Link) -> None:
    """Nor one with a long interval in its heartbeat."""
    beat(link, "alive", age=10)
    beat(link, "seldom", age=40, interval=15)
    assert not sweep(link).watching


def test_one_sweep_at_a_time(link: Link) -> None:
    """While one has the lock, another does nothing."""
    sweep(link)
    beat(link, "gone", age=60)
    other = Sweep(link, KEYS, Workers("other", Failures()))
    other.run(now_us(), 0.1)
    assert not other.watching


def test_junk_among_heartbeats_is_ignored(link: Link) -> None:
    """Anything may be in Redis; heartbeats that can be read are used."""
    for i, junk in enumerate(["", "1", "x\ny\nz", "1\n{}\n[]", '1\n{}\n{"oldest":[[1]]}', b"\xff\n\n\xfe"]):
        link.command("HSET", KEYS.beats, f"junk{i}", junk)
    link.command("HSET", KEYS.beats, b"no text \xff", "1\n{}\n{}")
    link.command("HSET", KEYS.beats, "half", '1\n{}\n{"oldest":[["q","a",1,"\\ud800"]]}')
    beat(link, "gone", age=60)
    half = Attempt(0, "q", "act", RedisMessageId("\ud800"))
    assert sweep(link).claim([ATTEMPT, half]) == [ATTEMPT, half]
    assert not link.command("HEXISTS", KEYS.beats, b"no text \xff"), "older than a day: reaped"


@pytest.mark.parametrize(
    "state",
    [
        '{"oldest":[{}]}',
        '{"oldest":{"a":1}}',
        '{"oldest":[["q","a",1,["id"]]],"interval":1%s}' % ("0" * 400),
        '{"interval":NaN,"oldest":5}',
        "[" * 100_000,
        '"text"',
    ],
)
def test_no_heartbeat_breaks_the_sweep(link: Link, state: str) -> None:
    """The others are still marked, and the dead removed, junk included."""
    link.command("HSET", KEYS.beats, "evil", f"{now_us()}\n{{}}\n{state}", "old", f"1\n{{}}\n{state}")
    beat(link, "gone", age=60)
    assert sweep(link).claim([ATTEMPT]) == [ATTEMPT]
    assert sorted(link.command("HKEYS", KEYS.beats)) == [b"evil", b"gone"]


def test_time_of_any_length_breaks_no_sweep(link: Link) -> None:
    """Python does not parse more than 4,300 digits."""
    link.command("HSET", KEYS.beats, "evil", "9" * 5000 + "\n{}\n{}")
    beat(link, "dead", age=REAP_AGE + 60)
    sweep(link)
    assert link.command("HKEYS", KEYS.beats) == [b"evil"]


def test_dead_are_removed_if_nothing_can_be_marked(link: Link) -> None:
    """The key of the lost jobs has another type."""
    link.command("SET", KEYS.lost, "x")
    beat(link, "dead", age=REAP_AGE + 60)
    with pytest.raises(NoReplyError):
        sweep(link)
    assert link.command("HLEN", KEYS.beats) == 0


def test_dead_are_removed_after_a_day(link: Link) -> None:
    """Heartbeat and sequence are removed; a caller with a recent time in another role keeps its sequence."""
    for caller in ("dead", "back", "young"):
        link.command("HSET", KEYS.seqs, caller, 7)
    old, new = now_us() - int((REAP_AGE + 60) * 1e6), now_us()
    link.command("HSET", KEYS.producers, "dead", old, "back", old, "young", new)
    beat(link, "back", age=1)
    sweep(link)
    sequences = [name for name in link.command("HKEYS", KEYS.seqs) if not name.startswith(b"__")]
    assert sequences == [b"back", b"young"]
    assert link.command("HKEYS", KEYS.producers) == [b"back", b"young"]


def test_lost_jobs_are_removed_with_their_worker(link: Link) -> None:
    """Otherwise the hash of a fleet that loses a worker a day would grow without limit."""
    beat(link, "first", age=60)
    sweep(link)
    beat(link, "first", age=REAP_AGE + 60)
    beat(link, "second", age=60)
    sweep(link)  # reaps the first
    assert sweep(link).watching
    assert sorted(link.command("HKEYS", KEYS.lost)) == [b"job-1", b"worker:second"]
    assert link.command("HGET", KEYS.lost, "job-1") == b"second"
    link.command("DEL", KEYS.beats)
    assert not sweep(link).watching


def test_caller_in_no_hash_keeps_its_sequence(link: Link) -> None:
    """Its heartbeat may have been evicted before the reaping; without a sequence an epoch would end."""
    link.command("HSET", KEYS.seqs, "alive", 7)
    assert link.reap(["alive"], 0.0) == 0
    assert link.command("HGET", KEYS.seqs, "alive") == b"7"
