"""Queues that no registry names are found in the background."""

from __future__ import annotations

import pytest
import redis

from bioagents_exporter.read import discovery
from bioagents_exporter.read.reader import Reader
from read.conftest import MakeReader
from read.test_audit import send
from support.redis_server import RedisServer


def names(reader: Reader) -> set[str]:
    """All queues of a read."""
    return {queue.name for queue in reader.read().queues}


def test_a_fleet_without_our_middleware(
    shared_redis: RedisServer, reader: Reader, client: redis.Redis
) -> None:
    """Waiting, delayed and dead jobs each show their queue; the parts of a queue are none."""
    send(shared_redis, 1, queue="waiting")
    send(shared_redis, 1, queue="delayed", delay=60_000)
    client.hset("dramatiq:dead.XQ.msgs", "1", "{}")
    client.zadd("dramatiq:dead.XQ", {"1": 1})
    client.sadd("dramatiq:__acks__.b.waiting", "1")
    assert names(reader) == set()
    reader.audit()
    assert names(reader) == {"waiting", "delayed", "dead"}
    assert {queue.name: (queue.waiting, queue.delayed) for queue in reader.read().queues} == {
        "waiting": (1, 0),
        "delayed": (0, 1),
        "dead": (0, 0),
    }


def test_what_only_looks_like_a_queue(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Keys of another type, of another namespace, and names that are no text."""
    client.set("dramatiq:text.msgs", "x")
    client.rpush("dramatiq:list.msgs", "x")
    client.rpush("dramatiq:no-messages", "x")
    client.hset("dramatiq-results:hash.msgs", "a", "b")
    client.hset("other:chat.msgs", "a", "b")
    client.hset(b"dramatiq:\xff.msgs", "a", "b")
    client.hset("dramatiq:.msgs", "a", "b")
    client.hset('dramatiq:"quoted"\n.msgs', "a", "b")
    client.hset("dramatiq:chat.v2_x-y.msgs", "a", "b")
    reader = make_reader(shared_redis.url)
    reader.read()
    reader.audit()
    snapshot = reader.read()
    assert {queue.name for queue in snapshot.queues} == {"chat.v2_x-y"}
    assert snapshot.errors == {"wrong_type": 2, "bad_name": 3}


def test_namespaces_within_each_other(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """Two fleets on one Redis, the name of one begins like the other's: each sees its own queues."""
    for namespace, queue in (("dramatiq", "chat"), ("dramatiq:staging", "research")):
        client.hset(f"{namespace}:{queue}.msgs", "a", "b")
        client.hset(f"{namespace}:{queue}.DQ.msgs", "a", "b")
    outer = make_reader(shared_redis.url)
    inner = make_reader(shared_redis.url, namespace="dramatiq:staging")
    for reader, own in ((outer, {"chat"}), (inner, {"research"})):
        reader.read()
        reader.audit()
        snapshot = reader.read()
        assert {queue.name for queue in snapshot.queues} == own
        assert snapshot.errors == {}


def test_namespaces_with_signs_of_patterns(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader
) -> None:
    """A namespace is a name, no pattern."""
    for namespace in ("{dramatiq}", "a*b", "a?b", "a[b]c", "a\\b", "a^b-c"):
        client.flushall()
        for number, name in enumerate((namespace, "axb", "ab")):
            client.hset(f"{name}:q{number}.msgs", "a", "b")
        reader = make_reader(shared_redis.url, namespace=namespace)
        reader.read()
        reader.audit()
        assert names(reader) == {"q0"}, namespace


def test_a_pass_is_made_of_small_steps_and_then_rests(client: redis.Redis, reader: Reader) -> None:
    """A bounded number of SCANs in a step, none once the pass is complete, and a new pass after a while."""
    pipe = client.pipeline(transaction=False)
    for number in range(0, 30_000, 1000):
        pipe.mset({f"other:{number + i}": "x" for i in range(1000)})
    pipe.hset("dramatiq:chat.msgs", "a", "b")
    pipe.execute()
    reader.read()
    scans = [scans_of_an_audit(client, reader) for _ in range(6)]
    assert max(scans) == discovery.SCANS
    assert sum(scans) == pytest.approx(30, abs=5)
    assert scans[-1] == 0
    assert names(reader) == {"chat"}
    client.hset("dramatiq:later.msgs", "a", "b")
    assert scans_of_an_audit(client, reader) == 0
    reader._discovery._next = 0.0
    for _ in range(5):
        scans_of_an_audit(client, reader)
    assert names(reader) == {"chat", "later"}


def scans_of_an_audit(client: redis.Redis, reader: Reader) -> int:
    """How many SCANs one step takes."""
    client.config_resetstat()
    reader.audit()
    return int(client.info("commandstats").get("cmdstat_scan", {"calls": 0})["calls"])
