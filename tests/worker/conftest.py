"""A broker on a real Redis, and a reader of the totals in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics
from bioagents_worker.wire import Keys
from support.redis_server import RedisServer

Fields = dict[str, int]


@pytest.fixture
def totals(redis_server: RedisServer) -> Callable[[str], Fields]:
    """Queue → the fields of its totals hash, without the epoch."""
    client = redis_server.client(decode_responses=True)

    def read(queue: str = "default") -> Fields:
        fields = client.hgetall(Keys("dramatiq").totals(queue))
        return {name: int(value) for name, value in fields.items() if name != "__epoch"}

    return read


@pytest.fixture
def broker(redis_server: RedisServer) -> Iterator[RedisBroker]:
    """A broker without JobMetrics, which the tests add; the flusher ends before its Redis does."""
    broker = RedisBroker(url=redis_server.url)
    yield broker
    for middleware in broker.middleware:
        if isinstance(middleware, JobMetrics):
            middleware._stop()
