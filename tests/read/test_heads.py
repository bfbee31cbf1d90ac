"""Since when the next job of a queue has been ready."""

from __future__ import annotations

import json
import pickle
import time
from uuid import uuid4

import pytest
import redis

from bioagents_exporter.read.heads import MAX_HEAD, ready_of
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Queue
from read.conftest import MakeReader
from support.redis_server import RedisServer

NOW_MS = 1_764_000_000_000


def put(
    client: redis.Redis, *, queue: str = "chat", raw: bytes | None = None, sent: float = 0, **options: object
) -> str:
    """Add a message as Dramatiq stores it, sent ``sent`` seconds ago; its redis_message_id."""
    id_ = str(uuid4())
    message: dict[str, object] = {
        "queue_name": queue,
        "actor_name": "answer",
        "args": [],
        "kwargs": {},
        "options": options,
    }
    message |= {"message_id": id_, "message_timestamp": (time.time() - sent) * 1000}
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


def head(reader: Reader) -> Queue:
    """The queue ``chat`` in a read without errors."""
    snapshot = reader.read()
    assert snapshot.failure == ""
    assert snapshot.errors == {}
    return snapshot.queues[0]


def age(queue: Queue) -> float:
    """Seconds since the head became ready."""
    assert queue.head_ready is not None
    return time.time() - queue.head_ready


def test_our_stamp_is_exact(reader: Reader, client: redis.Redis) -> None:
    """It wins over what else the message says."""
    put(client, sent=5000, bioagents_ready=(time.time() - 70) * 1000, requeue_timestamp=NOW_MS)
    assert age(head(reader)) == pytest.approx(70, abs=2)


def test_without_a_stamp_the_construction_is_a_bound(reader: Reader, client: redis.Redis) -> None:
    """The job cannot have waited longer than it exists."""
    put(client, sent=300)
    assert age(head(reader)) == pytest.approx(300, abs=2)


def test_a_retry_waits_since_its_failure_at_most(reader: Reader, client: redis.Redis) -> None:
    """Dramatiq notes the time of the failure."""
    put(client, sent=300, requeue_timestamp=int((time.time() - 100) * 1000))
    assert age(head(reader)) == pytest.approx(100, abs=2)


def test_a_list_that_was_empty_is_a_bound(reader: Reader, client: redis.Redis) -> None:
    """A delayed job that came due is old, but cannot have been ready while the list was empty."""
    assert head(reader).head_ready is None
    put(client, sent=86_400)
    assert age(head(reader)) < 5


def test_a_new_connection_forgets_the_empty_list(reader: Reader, client: redis.Redis) -> None:
    """It may lead to another data set, in which the list was never seen empty."""
    assert head(reader).head_ready is None
    client.client_kill_filter(_type="normal", skipme=True)
    put(client, sent=86_400)
    assert age(head(reader)) == pytest.approx(86_400, abs=2)


def test_a_clock_ahead_of_redis_makes_no_negative_age(reader: Reader, client: redis.Redis) -> None:
    """A job is ready at the latest when it is seen, whatever its producer's clock says."""
    put(client, sent=-3600)
    assert age(head(reader)) >= 0
    take(client)
    put(client, bioagents_ready=(time.time() + 3600) * 1000)
    assert age(head(reader)) >= 0


def test_the_next_head_follows(reader: Reader, client: redis.Redis) -> None:
    """What is remembered belongs to one message."""
    put(client, bioagents_ready=(time.time() - 50) * 1000)
    put(client, bioagents_ready=(time.time() - 20) * 1000)
    assert age(head(reader)) == pytest.approx(50, abs=2)
    assert age(head(reader)) == pytest.approx(50, abs=2)
    take(client)
    assert age(head(reader)) == pytest.approx(20, abs=2)
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


def test_a_large_head_is_not_read(reader: Reader, client: redis.Redis) -> None:
    """Five megabytes stay in Redis; the bound of the empty list remains, and the reason is counted."""
    put(client, bioagents_ready=1, payload="x" * 5_000_000)
    client.config_resetstat()
    first, second = reader.read(), reader.read()
    assert "cmdstat_hget" not in client.info("commandstats")
    for snapshot in (first, second):
        assert snapshot.errors == {"head_too_large": 1}
        assert snapshot.queues[0].waiting == 1
        assert snapshot.queues[0].head_ready is None
    take(client)
    head(reader)
    put(client, payload="x" * MAX_HEAD)
    snapshot = reader.read()
    assert snapshot.errors == {"head_too_large": 1}
    assert age(snapshot.queues[0]) < 5


class Bomb:
    """Would say so if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Called by pickle when it loads."""
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(pickle.dumps({"options": Bomb()}), id="pickle"),
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"message_timestamp": 1764000000000}', id="no options"),
        pytest.param(b'{"options": []}', id="options of another type"),
        pytest.param(b'{"options": {"bioagents_ready": "soon"}}', id="no time at all"),
        pytest.param(b'{"options": {"bioagents_ready": true}}', id="a boolean"),
        pytest.param(b'{"options": {"bioagents_ready": NaN}}', id="not a number"),
        pytest.param(b'{"options": {"bioagents_ready": 1e999}}', id="infinite"),
        pytest.param(b'{"options": {"bioagents_ready": ' + b"9" * 4000 + b"}}", id="a huge number"),
        pytest.param(b'{"options": {"bioagents_ready": -5}}', id="negative"),
        pytest.param(b'{"options": ' * 5000, id="cut off"),
        pytest.param(b"[" * 60_000, id="deep"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_another_encoders_bytes_are_left_out(raw: bytes, reader: Reader, client: redis.Redis) -> None:
    """Never unpickled, never a crash: the depth is right, the age unknown, the cause counted."""
    put(client, raw=raw)
    if not raw:
        # HSTRLEN does not tell an empty message from none, and Dramatiq stores neither.
        assert head(reader).head_ready is None
        return
    for _ in range(2):
        snapshot = reader.read()
        assert snapshot.errors == {"head_unreadable": 1}
        assert (snapshot.queues[0].waiting, snapshot.queues[0].head_ready) == (1, None)


def test_a_head_without_a_message(reader: Reader, client: redis.Redis) -> None:
    """An id whose message is gone waits, but says nothing."""
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


def test_integers_and_floats_are_times() -> None:
    """Producers of other languages may write either."""
    assert ready_of(b'{"options": {"bioagents_ready": 1764000000000}}') == (NOW_MS / 1000, True)
    assert ready_of(b'{"options": {}, "message_timestamp": 1764000000000.5}') == (
        NOW_MS / 1000 + 0.0005,
        False,
    )
