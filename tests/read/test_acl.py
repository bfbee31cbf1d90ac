"""The whole reader under the least rights that the documentation names, and with one right less."""

from __future__ import annotations

from typing import Final

import pytest
import redis

from bioagents_exporter.read.errors import Cause
from read.conftest import MakeReader
from support.redis_server import RedisServer
from support.wire_fleet import WireFleet

RIGHTS: Final = ("+@read", "+ping", "+info", "+select", "-keys", "~dramatiq:*", "~bioagents:*")


def allow(client: redis.Redis, *rights: str) -> str:
    """Make the user ``exporter`` with these rights; its part of a URL."""
    client.execute_command("ACL", "SETUSER", "exporter", "reset", "on", ">secret", *rights)
    return "exporter:secret@"


@pytest.mark.parametrize("db", [0, 1])
def test_the_least_rights_are_enough(
    db: int, shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Reads, audits and the discovery; nothing is refused, not even in the handshake."""
    user = allow(client, *RIGHTS)
    client.execute_command("ACL", "LOG", "RESET")
    with shared_redis.client(db=db) as writer:
        for version in (0, 1):
            WireFleet(writer, version=version).flush("w1", totals={"chat": {"processed|a": 1}})
        message = '{"actor_name":"a","options":{"bioagents_ready":1764000000000,"eta":1764000000000}}'
        for key, list_ in (("chat", True), ("chat.DQ", False), ("plain", True)):
            writer.hset(f"dramatiq:{key}.msgs", mapping={"1": message, "2": message, "3": message})
            if list_:
                writer.rpush(f"dramatiq:{key}", "1")
        writer.zadd("dramatiq:chat.XQ", {"4": 1})
        writer.zadd("dramatiq:__heartbeats__", {"dead": 1})
        writer.sadd("dramatiq:__acks__.dead.chat", "2")
    reader = make_reader(f"redis://{user}127.0.0.1:{shared_redis.port}/{db}")
    for _ in range(4):
        snapshot = reader.read()
        assert snapshot.failure == ""
        assert snapshot.errors == {}
        reader.audit()
    assert {queue.name for queue in snapshot.queues} == {"chat", "plain"}
    assert snapshot.queues[0].head_ready is not None
    assert snapshot.audits["chat"].orphaned == 1
    assert snapshot.audits["chat"].unheld == 4
    assert snapshot.audits["chat"].overdue == 3
    assert client.execute_command("ACL", "LOG") == []


@pytest.mark.parametrize("missing", ["+info", "+select", "~bioagents:*", "+@read"])
def test_a_right_that_is_missing(
    missing: str, shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """The line names the user and what Redis refused."""
    user = allow(client, *[right for right in RIGHTS if right != missing])
    snapshot = make_reader(f"redis://{user}127.0.0.1:{shared_redis.port}/1", queues=("chat",)).read()
    assert snapshot.server is None
    assert snapshot.errors == {Cause.REDIS_DENIED: 1}
    assert "'exporter'" in snapshot.failure
    assert "permission" in snapshot.failure.lower()
    assert "secret" not in snapshot.failure


def test_without_the_right_to_dramatiqs_keys(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """What the workers report is there; what is Dramatiq's is missing and counted."""
    WireFleet(client).flush("w1", totals={"chat": {"processed|a": 1}})
    user = allow(client, *[right for right in RIGHTS if right != "~dramatiq:*"])
    snapshot = make_reader(f"redis://{user}127.0.0.1:{shared_redis.port}/0").read()
    assert snapshot.failure == ""
    assert [worker.id for worker in snapshot.workers] == ["w1"]
    assert [totals.queue for totals in snapshot.totals] == ["chat"]
    assert (snapshot.queues[0].name, snapshot.queues[0].waiting) == ("chat", None)
    assert set(snapshot.errors) == {Cause.REDIS_DENIED}
