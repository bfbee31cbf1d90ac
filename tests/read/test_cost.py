"""What a read costs: at most three round trips, never SCAN nor KEYS, no command that holds Redis up."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any
from uuid import uuid4

import pytest
import redis
from redis.connection import AbstractConnection

from bioagents_exporter.read import connection
from bioagents_exporter.read.connection import Reply, pack
from bioagents_exporter.read.heartbeats import PIECE
from bioagents_exporter.read.reader import Reader
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_worker.wire import Keys
from read.conftest import MakeReader
from support.redis_server import RedisServer
from support.wire_fleet import WireFleet

#: Messages that are read: one that waits, one that is overdue.
READY = '{"actor_name":"a","options":{"bioagents_ready":1e12}}'
DUE = '{"actor_name":"a","options":{"eta":1}}'


class Turns:
    """A socket that counts how often a send follows a receive: once for each round trip.

    A request larger than 16 KB takes in answers while it is sent; see ``requests``.
    """

    def __init__(self, inner: socket.socket) -> None:
        self.inner, self.count, self.listening = inner, 0, True

    def sendall(self, data: bytes) -> None:
        """Send; count a round trip if the last action was a receive."""
        self.count += self.listening
        self.listening = False
        self.inner.sendall(data)

    def recv_into(self, buffer: bytearray) -> int:
        """Receive."""
        self.listening = True
        return self.inner.recv_into(buffer)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[Turns]:
    """The sockets of all connections from now on, the newest last."""
    opened: list[Turns] = []
    original = connection._socket_of

    def counted(link: AbstractConnection) -> Any:  # noqa: ANN401 - what a socket is, as far as needed
        opened.append(Turns(original(link)))
        return opened[-1]

    monkeypatch.setattr(connection, "_socket_of", counted)
    return opened


def put_head(client: redis.Redis, queue: str) -> None:
    """A new head with a message."""
    id_ = str(uuid4())
    options = {"bioagents_ready": time.time() * 1000}
    client.hset(
        f"dramatiq:{queue}.msgs",
        id_,
        json.dumps({"actor_name": "a", "options": options, "message_timestamp": 1}),
    )
    client.lpush(f"dramatiq:{queue}", id_)


@pytest.mark.parametrize("queues", [1, 25])
def test_round_trips(
    queues: int, shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader, turns: list[Turns]
) -> None:
    """One while nothing is new, three with new heads, whatever the number of queues; one more to connect."""
    names = tuple(f"q{i}" for i in range(queues))
    fleet = WireFleet(client)
    for number, name in enumerate(names):
        fleet.flush(f"w{number}", totals={name: {"processed|a": 1}})
        put_head(client, name)
    reader = make_reader(shared_redis.url)
    reader.read()
    trips = [turns[0].count]
    for change in (None, put_head, None):
        if change:
            for name in names:
                change(client, name)
        reader.read()
        trips.append(turns[0].count)
    assert [after - before for before, after in zip([0, *trips], trips, strict=False)] == [4, 1, 3, 1]
    assert len(turns) == 1
    client.rpush("dramatiq:new", "1")
    client.sadd(fleet.keys.queues, "new")
    reader.read()
    assert turns[0].count - trips[-1] == 2


def test_a_large_fleet_takes_no_more(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand queues and ten thousand workers: three round trips, no command for more than 1,000 of them.

    One HGETALL of all heartbeats would hold Redis up for 12 to 19 ms.
    """
    write_large_fleet(client)
    reader = make_reader(shared_redis.url)
    sent, snapshot = requests(reader, monkeypatch)
    assert (len(snapshot.queues), len(snapshot.workers)) == (1000, 10_000)
    assert snapshot.errors == {}
    for _ in range(3):
        for number in range(1000):
            client.lpop(f"dramatiq:q{number}")
        for round_trips in (3, 1):
            made, _ = requests(reader, monkeypatch)
            assert len(made) == round_trips
            sent += made
    written = b"".join(sent)
    assert pack("HGETALL", Keys("dramatiq").beats) not in written
    assert max(map(int, re.findall(rb"\*(\d+)\r\n", written))) <= PIECE + 2  # the command and its key


def requests(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bytes], Snapshot]:
    """The commands of one read, an element for each round trip, and its result."""
    made: list[bytes] = []
    exchange = reader._connection._exchange

    def noted(commands: bytes, count: int) -> list[Reply]:
        made.append(commands)
        return exchange(commands, count)

    with monkeypatch.context() as patch:
        patch.setattr(reader._connection, "_exchange", noted)
        return made, reader.read()


def write_large_fleet(client: redis.Redis) -> None:
    """Queues with jobs and totals, and heartbeats of 500 bytes."""
    fleet = WireFleet(client)
    fleet.flush("w0", totals={"q0": {"processed|a": 1}})
    totals = client.hgetall(fleet.keys.totals("q0"))
    beat: Any = client.hget(fleet.keys.beats, "w0")
    beat = beat.replace(b'{"interval"', b'{"pad":"%b","interval"' % (b"x" * 100))
    pipe = client.pipeline(transaction=False)
    for number in range(1000):
        pipe.hset(fleet.keys.totals(f"q{number}"), mapping=totals)  # type: ignore[arg-type]
        pipe.sadd(fleet.keys.queues, f"q{number}")
        for job in range(5):
            pipe.rpush(f"dramatiq:q{number}", f"{number}-{job}")
            pipe.hset(f"dramatiq:q{number}.msgs", f"{number}-{job}", READY)
    for start in range(0, 10_000, 1000):
        pipe.hset(fleet.keys.beats, mapping={f"w{i}": beat for i in range(start, start + 1000)})
    pipe.execute()


def commands_of(client: redis.Redis) -> dict[str, int]:
    """Command → calls since the statistics were reset."""
    return {
        name.removeprefix("cmdstat_"): stat["calls"] for name, stat in client.info("commandstats").items()
    }


def test_neither_scan_nor_keys_in_a_read(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Only these commands, and none that writes."""
    WireFleet(client).flush("w1", totals={"chat": {"processed|a": 1}})
    WireFleet(client, version=0).flush("w0")
    put_head(client, "chat")
    reader = make_reader(shared_redis.url)
    client.config_resetstat()
    for _ in range(3):
        reader.read()
    used = set(commands_of(client)) - {"config|resetstat"}
    assert used == {
        "info", "hmget", "smembers", "hgetall", "exists", "hlen",
        "llen", "zcount", "zrangebyscore", "lindex", "hstrlen", "hget",
    }  # fmt: skip


def test_an_audit_step_is_bounded(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """At most 5,000 commands, with everything wrong at once; every queue gets its turn."""
    fill_with_trouble(client)
    reader = make_reader(shared_redis.url)
    reader.read()
    client.config_resetstat()
    seen: dict[str, float] = {}
    for _ in range(60):
        before = sum(commands_of(client).values())
        reader.audit()
        assert sum(commands_of(client).values()) - before <= 5000
        seen |= {name: audit.read_at for name, audit in reader.read().audits.items()}
        client.config_resetstat()
        if len(seen) == 300:
            break
    assert len(seen) == 300
    assert seen["q7"] > 0


def fill_with_trouble(client: redis.Redis) -> None:
    """Many queues with delayed and lost jobs, many expired brokers, many keys."""
    pipe = client.pipeline(transaction=False)
    for number in range(300):
        pipe.sadd("bioagents:{dramatiq}:v1:queues", f"q{number}")
        delayed = {f"d{job}": DUE for job in range(150)}
        pipe.hset(f"dramatiq:q{number}.DQ.msgs", mapping=delayed)  # type: ignore[arg-type]
    pipe.zadd("dramatiq:__heartbeats__", {str(uuid4()): 1 for _ in range(50)})
    pipe.mset({f"dramatiq:junk{i}.msgs": "x" for i in range(3000)})
    pipe.execute()


def test_a_queue_with_too_many_holders_for_one_step(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Its orphans are counted over several steps, all of them once."""
    brokers = [f"{i:08d}-dead" for i in range(5000)]
    client.zadd("dramatiq:__heartbeats__", dict.fromkeys(brokers, 1))
    for broker in brokers[::100]:
        client.sadd(f"dramatiq:__acks__.{broker}.chat", "1", "2")
        client.sadd(f"dramatiq:__acks__.{broker}.chat.DQ", "3")
    reader = make_reader(shared_redis.url, queues=("chat",))
    assert orphans_after(reader, 3) == [None, None, None]
    assert orphans_after(reader, 5) == [150] * 5
    client.zremrangebyrank("dramatiq:__heartbeats__", 1000, -1)
    assert orphans_after(reader, 1) == [30]


def orphans_after(reader: Reader, steps: int) -> list[int | None]:
    """What is known of the queue after each step."""
    found = []
    for _ in range(steps):
        reader.read()
        reader.audit()
        found.append(reader.read().audits["chat"].orphaned)
    return found
