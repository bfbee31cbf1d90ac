"""A reader for each test, closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.settings import Secret, Settings
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
