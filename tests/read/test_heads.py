"""Since when the next job of a queue has been ready."""

from __future__ import annotations

import json
from uuid import uuid4

import dramatiq
import pytest
import redis

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Queue
from read.conftest import MakeReader
from support.redis_server import RedisServer

NOW = 1_764_000_000  # unix seconds, some time ago


def put(
    client: redis.Redis,
    *,
    queue: str = "chat",
    raw: bytes | None = None,
    sent: float = NOW,
    **options: object,
) -> str:
    """Add a message as Dramatiq stores it, constructed at ``sent`` (unix seconds); its redis_message_id."""
    id_ = str(uuid4())
    message: dict[str, object] = {
        "queue_name": queue,
        "actor_name": "answer",
        "args": [],
        "kwargs": {},
        "options": options,
    }
    message |= {"message_id": id_, "message_timestamp": sent * 1000}
    client.hset(f"dramatiq:{queue}.msgs", id_, json.dumps(message).encode() if raw is None else raw)
    client.rpush(f"dramatiq:{queue}", id_)
    return id_


def take(client: redis.Redis, queue: str = "chat") -> None:
    """The head is fetched and acknowledged."""
    client.hdel(f"dramatiq:{queue}.msgs", client.lpop(f"dramatiq:{queue}") or b"")  # type: ignore[arg-type]


@pytest.fixture
def reader(shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader) -> Reader:
    """A reader that knows the queue from the start."""
    del client
    return make_reader(shared_redis.url, queues=("chat",))


def now(client: redis.Redis) -> float:
    """Unix seconds by the server's clock."""
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1e6


def head(reader: Reader) -> Queue:
    """The queue ``chat`` in a read without errors."""
    snapshot = reader.read()
    assert snapshot.failure == ""
    assert snapshot.errors == {}
    return snapshot.queues[0]


def test_our_stamp_is_exact(reader: Reader, client: redis.Redis) -> None:
    """It takes precedence over the other times of the message."""
    put(client, sent=NOW - 5000, bioagents_ready=(NOW - 70) * 1000, requeue_timestamp=NOW * 1000)
    assert head(reader).head_ready == NOW - 70


def test_without_a_stamp_the_construction_is_a_bound(reader: Reader, client: redis.Redis) -> None:
    """A job cannot have waited for longer than it exists."""
    put(client, sent=NOW - 300)
    assert head(reader).head_ready == NOW - 300


def test_a_retry_waits_since_its_failure_at_most(reader: Reader, client: redis.Redis) -> None:
    """Dramatiq notes the time of the failure."""
    put(client, sent=NOW - 300, requeue_timestamp=(NOW - 100) * 1000)
    assert head(reader).head_ready == NOW - 100


def test_a_list_that_was_empty_is_a_bound(reader: Reader, client: redis.Redis) -> None:
    """A delayed job that came due is old, but cannot have been ready while the list was empty."""
    before = now(client)
    assert head(reader).head_ready is None
    after = now(client)
    put(client, sent=NOW)
    ready = head(reader).head_ready
    assert ready is not None
    assert before <= ready <= after


def test_a_new_connection_forgets_the_empty_list(reader: Reader, client: redis.Redis) -> None:
    """It may lead to another data set, in which the list was never seen empty."""
    assert head(reader).head_ready is None
    client.client_kill_filter(_type="normal", skipme=True)
    put(client, sent=NOW)
    assert head(reader).head_ready == NOW


def test_a_clock_ahead_of_redis_makes_no_negative_age(reader: Reader, client: redis.Redis) -> None:
    """A job is ready at the latest when it is first read, whatever its producer's clock is."""
    ahead = now(client) + 3600
    for options in ({"sent": ahead}, {"bioagents_ready": ahead * 1000}):
        put(client, **options)
        ready = head(reader).head_ready
        assert ready is not None
        assert ready <= now(client)
        take(client)


def test_the_next_head_follows(reader: Reader, client: redis.Redis) -> None:
    """What is remembered belongs to one message."""
    put(client, bioagents_ready=(NOW - 50) * 1000)
    put(client, bioagents_ready=(NOW - 20) * 1000)
    assert [head(reader).head_ready for _ in range(2)] == [NOW - 50, NOW - 50]
    take(client)
    assert head(reader).head_ready == NOW - 20
    take(client)
    empty = head(reader)
    assert (empty.waiting, empty.head_ready) == (0, None)


def test_a_message_is_read_once(reader: Reader, client: redis.Redis) -> None:
    """Until the head changes no read asks for it again."""
    put(client)
    head(reader)
    client.config_resetstat()
    head(reader)
    commands = client.info("commandstats")
    assert "cmdstat_hget" not in commands
    assert "cmdstat_hstrlen" not in commands


DAMAGED = [
    b'{"actor_name": "answer", "message_timestamp": 1764000000000}',  # no options
    b'{"actor_name": "answer", "options": []}',  # options of another type
    b'{"options": ' * 5000,  # cut off
    b'  {"options": {"text": "\xc3',  # cut off within a letter
]


def test_a_damaged_message_is_left_out(reader: Reader, client: redis.Redis) -> None:
    """Never a crash: the depth is right, the age unknown, the cause counted, the queue named."""
    for raw in DAMAGED:
        put(client, raw=raw)
        for _ in range(2):
            snapshot = reader.read()
            assert snapshot.errors == {"head_unreadable": 1}, raw[:60]
            assert snapshot.unread == {("chat", "damaged"): 1}
            assert (snapshot.queues[0].waiting, snapshot.queues[0].head_ready) == (1, None), raw[:60]
        take(client)


#: None of these is a Unix time in ms.
NO_TIMES: list[dict[str, object]] = [
    {"message_timestamp": value} for value in (None, "2026-01-01", NOW, 0, -5, True, float("nan"), [])
]


@pytest.mark.parametrize("times", [{}, *NO_TIMES], ids=str)
def test_a_message_without_a_time_is_no_error(
    reader: Reader, client: redis.Redis, times: dict[str, object]
) -> None:
    """Programs in other languages need not set one: Dramatiq runs such a job, and its age is unknown."""
    message = {"queue_name": "chat", "actor_name": "answer", "args": [], "kwargs": {}, "options": {}}
    assert dramatiq.Message.decode(json.dumps(message | times).encode()).actor_name == "answer"
    put(client, raw=json.dumps(message | times).encode())
    for _ in range(2):
        snapshot = reader.read()
        assert (snapshot.errors, snapshot.unread) == ({}, {("chat", "no_time"): 1})
        assert snapshot.queues[0].head_ready is None
    take(client)
    put(client, raw=json.dumps(message | times | {"options": {"bioagents_ready": NOW * 1000}}).encode())
    assert head(reader).head_ready == NOW


def test_an_empty_message_has_no_age(reader: Reader, client: redis.Redis) -> None:
    """HSTRLEN gives the same answer as for none, and Dramatiq stores neither."""
    put(client, raw=b"")
    assert head(reader).head_ready is None


def test_a_head_without_a_message(reader: Reader, client: redis.Redis) -> None:
    """An id whose message is gone waits, but its age is unknown."""
    client.rpush("dramatiq:chat", "ghost")
    queue = head(reader)
    assert (queue.waiting, queue.messages, queue.head_ready) == (1, 0, None)


def test_many_large_heads_are_spread_over_reads(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """A read takes two megabytes of messages at most; later reads take the rest."""
    names = tuple(f"q{i}" for i in range(80))
    for name in names:
        put(client, queue=name, payload="x" * 60_000)
    reader = make_reader(shared_redis.url, queues=names)
    known = [sum(queue.head_ready is not None for queue in reader.read().queues) for _ in range(3)]
    assert known == [34, 68, 80]


def test_a_job_with_a_due_time_has_no_age_before_it(reader: Reader, client: redis.Redis) -> None:
    """An application that sets ``eta`` puts the job into the list at once, with our stamp or without."""
    soon = now(client) + 0.5
    for options in ({"bioagents_ready": soon * 1000}, {"sent": NOW}, {"requeue_timestamp": NOW * 1000}):
        put(client, eta=soon * 1000, **options)
        assert head(reader).head_ready == pytest.approx(soon)
        take(client)
    put(client, sent=NOW, eta=(NOW + 5) * 1000)
    assert head(reader).head_ready == NOW + 5


def test_an_eta_that_is_no_time_changes_nothing(reader: Reader, client: redis.Redis) -> None:
    """Dramatiq runs such a job at once."""
    for eta in (None, "soon", True, -5, 0, float("nan")):
        put(client, sent=NOW, eta=eta)
        assert head(reader).head_ready == NOW, eta
        take(client)
