"""The first steps of the documentation, as they are printed, and what a process says about its set-up."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import WeakSet

import dramatiq
import pytest
import redis
import valkey
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from redis.sentinel import Sentinel

from bioagents_worker import JobMetrics, _notices
from bioagents_worker._notices import address
from support.checkout import ROOT
from support.polling import wait_until
from support.programs import start_workers
from support.redis_server import RedisServer
from worker.test_middleware import Totals

Warnings = Callable[[], list[str]]

PAGES = ("README.md", "docs/get-started/application.md")


def snippet(page: str) -> tuple[str, str]:
    """The ``tasks.py`` of a page, and the Python that its command for a job runs."""
    text = (ROOT / page).read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (command,) = re.findall(r"^dramatiq tasks\npython -c '(.*)'$", text, re.MULTILINE)
    return code, command


@pytest.fixture
def tasks(tmp_path: Path, redis_server: RedisServer) -> Path:
    """The README's ``tasks.py``, in which only the address is another."""
    code, _ = snippet("README.md")
    assert "redis://127.0.0.1:6379/0" in code
    path = tmp_path / "tasks.py"
    path.write_text(code.replace("127.0.0.1:6379", f"127.0.0.1:{redis_server.port}"))
    return path


def test_tasks_of_the_readme_run_as_pasted(tasks: Path, redis_server: RedisServer, totals: Totals) -> None:
    """The worker runs the job of the README's command, both count, and the worker logs its address."""
    worker = start_workers("tasks", cwd=tasks.parent, path=tasks.parent, threads=1)
    try:
        subprocess.run(
            [sys.executable, "-c", snippet("README.md")[1]], check=True, cwd=tasks.parent, timeout=30
        )
        wait_until(lambda: totals().get("succeeded|greet") == 1)
        assert totals()["enqueued|greet"] == 1
        line = f"JobMetrics reports to redis://127.0.0.1:{redis_server.port}/0, namespace dramatiq"
        assert worker.output().count(line) == 1
        assert "without JobMetrics" not in worker.output()
    finally:
        worker.stop()


def test_the_pages_show_the_same() -> None:
    """So that the test above holds for each of them."""
    assert snippet(PAGES[0]) == snippet(PAGES[1])


def test_forgotten_set_broker_is_one_warning(tasks: Path) -> None:
    """Without that line of the page its actors are on the default broker; a second actor repeats nothing."""
    code = re.sub(r"dramatiq.set_broker.*", "", tasks.read_text())
    tasks.write_text(code + "\n@dramatiq.actor\ndef other(): pass\n")
    done = subprocess.run(
        [sys.executable, "-c", "import tasks"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tasks.parent,
        timeout=30,
    )
    assert done.stderr == (
        "actor greet is declared on a RedisBroker without JobMetrics, while another broker has it, so its "
        "jobs are not counted: call dramatiq.set_broker(broker) before actors are declared, or add "
        "JobMetrics to both\n"
    )


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Warnings]:
    """The warnings about brokers in a process that has not warned yet, and has no default broker."""
    monkeypatch.setattr(_notices.WATCH, "added", WeakSet())
    monkeypatch.setattr(_notices.WATCH, "warned", False)
    monkeypatch.setattr("dramatiq.broker.global_broker", None)
    with caplog.at_level(logging.WARNING, "bioagents_worker._notices"):
        yield lambda: caplog.messages


def declare(broker: dramatiq.Broker) -> None:
    dramatiq.actor(lambda: None, broker=broker, actor_name="act")


def test_actors_that_were_declared_before_are_found(broker: RedisBroker, warnings: Warnings) -> None:
    """On the default broker, when JobMetrics is added to another one."""
    dramatiq.set_broker(RedisBroker(url="redis://127.0.0.1:1"))
    declare(dramatiq.get_broker())
    assert warnings() == []
    broker.add_middleware(JobMetrics())
    assert len(warnings()) == 1


def test_no_warning_where_nothing_is_missing(broker: RedisBroker, warnings: Warnings) -> None:
    """One broker, with actors before and after; a StubBroker; and no second broker with actors."""
    dramatiq.set_broker(broker)
    declare(broker)
    broker.add_middleware(JobMetrics())
    dramatiq.actor(lambda: None, actor_name="late")
    declare(StubBroker())
    RedisBroker(url="redis://127.0.0.1:1")
    assert warnings() == []


class Unready:
    """A proxy of a broker outside of the context that has one, as werkzeug's LocalProxy."""

    def __getattr__(self, name: str) -> object:
        """Nothing yet."""
        raise RuntimeError(f"no broker has {name} outside of the application's context")


def test_a_default_broker_that_is_not_ready_stops_nothing(broker: RedisBroker, warnings: Warnings) -> None:
    """JobMetrics is added to the real broker, without a warning about one that cannot be looked at."""
    dramatiq.set_broker(Unready())  # type: ignore[arg-type] - as applications do
    broker.add_middleware(JobMetrics())
    declare(broker)
    assert warnings() == []
    assert isinstance(broker.middleware[0], JobMetrics)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (redis.Redis(), "redis://localhost:6379/0"),
        (redis.Redis.from_url("redis://me:s3cret@cache:7000/2?client_name=x"), "redis://cache:7000/2"),
        (redis.Redis.from_url("rediss://:s3cret@cache"), "rediss://cache:6379/0"),
        (redis.Redis(host="fd00::1", port=7000), "redis://[fd00::1]:7000/0"),
        (redis.Redis.from_url("unix://me:s3cret@/run/redis.sock?db=3"), "unix:///run/redis.sock?db=3"),
        (valkey.Valkey(host="cache", password="s3cret"), "redis://cache:6379/0"),  # noqa: S106 - planted
        (
            Sentinel([("sentinel", 26379)]).master_for("fleet", password="s3cret", db=1),  # noqa: S106 - planted
            "the primary fleet of a Sentinel, database 1",
        ),
    ],
)
def test_address_has_no_secrets(client: object, expected: str) -> None:
    """Scheme, host, port and database of any client; no user, no password."""
    assert address(client) == expected


def test_client_without_an_address_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The line then names its class."""
    with caplog.at_level(logging.INFO, "bioagents_worker"):
        _notices.report_start(object(), "dramatiq")
    assert caplog.messages == ["JobMetrics reports to the address of its object, namespace dramatiq"]
