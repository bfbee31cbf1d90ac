"""Fixtures shared by all tests: real servers on free ports, which are always stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from support.redis_server import RedisServer

TESTS: Final = Path(__file__).parent

#: The files that take longest, the longest first (CONTRIBUTING.md has their times). `make test` starts with
#: them in this order, so that none runs alone at the end.
SLOW_FILES: Final = (
    "faults/test_faults.py",
    "dashboards/test_live.py",
    "truth/test_rollback.py",
    "truth/test_exact.py",
    "end_to_end/test_alerts.py",
    "truth/test_gauges.py",
    "truth/test_kill.py",
    "packaging/test_distribution.py",
    "alerts/test_promtool.py",
    "demo/test_demo.py",
    "read/test_audit.py",
    "transport/test_model.py",
    "alerts/test_monitoring_runners.py",
    "worker/test_middleware.py",
    "serve/test_http.py",
)


def pytest_configure() -> None:
    """Restore signals that a shell or nohup ignores: the programs under test would inherit that.

    An example of a property test may take any time.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    settings.register_profile("tests", deadline=None)  # a busy machine is no fault
    settings.load_profile("tests")
    missing = [name for name in SLOW_FILES if not (TESTS / name).is_file()]
    assert not missing, f"SLOW_FILES names {missing}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of pytest-xdist the slow files come first; otherwise the order stays as it is."""
    if hasattr(config, "workerinput"):
        slow = {TESTS / name: place for place, name in enumerate(SLOW_FILES)}
        items.sort(key=lambda item: slow.get(item.path, len(slow)))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty Redis of its own for one test."""
    server = RedisServer(tmp_path / "redis")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of a module; a test that uses it starts with FLUSHALL."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()
