"""Fixtures shared by all tests: real servers on free ports, stopped whatever happens."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.redis_server import RedisServer


def pytest_configure() -> None:
    """A background job ignores SIGINT, one of nohup SIGHUP; the programs under test would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty Redis of its own for one test."""
    server = RedisServer(tmp_path / "redis")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of a module; whoever uses it starts with FLUSHALL."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()
