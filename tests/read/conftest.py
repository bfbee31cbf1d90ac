"""A reader for each test, closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.settings import Secret, Settings
from support.polling import wait_until
from support.redis_server import RedisServer

MakeReader = Callable[..., Reader]


@pytest.fixture
def make_reader() -> Iterator[MakeReader]:
    """``make_reader(url, **settings)``."""
    readers: list[Reader] = []

    def make(url: str, **settings: Any) -> Reader:  # noqa: ANN401 - whatever Settings takes
        readers.append(Reader(Settings(redis_url=Secret(url), **settings)))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def replica(redis_server: RedisServer, tmp_path: Path) -> Iterator[RedisServer]:
    """A replica of the test's Redis, connected."""
    with redis_server.client() as client:
        client.config_set("repl-diskless-sync-delay", 0)
    server = RedisServer(tmp_path / "replica", replicaof=f"127.0.0.1 {redis_server.port}")
    with server.client() as client:
        wait_until(lambda: client.info("replication")["master_link_status"] == "up")
    yield server
    server.kill()


@pytest.fixture
def client(shared_redis: RedisServer) -> Iterator[redis.Redis]:
    """A client of the module's Redis, which is empty now."""
    with shared_redis.client() as connected:
        connected.flushall()
        yield connected


@pytest.fixture
def reader(shared_redis: RedisServer, client: redis.Redis, make_reader: MakeReader) -> Reader:
    """A reader of the module's Redis with the default settings."""
    del client  # only so that Redis is empty
    return make_reader(shared_redis.url)
