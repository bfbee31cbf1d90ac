"""A worker needs the permissions that the documentation names, and counts without the optional ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.settings import Secret, Settings
from bioagents_worker import JobMetrics
from bioagents_worker._failures import Failures
from bioagents_worker._link import Link
from bioagents_worker._middleware import _STOP_TIMEOUT
from bioagents_worker._sweep import Sweep
from bioagents_worker._tally import Attempt
from bioagents_worker._transport import Request
from bioagents_worker._workers import Workers
from bioagents_worker.wire import Keys, RedisMessageId
from support.polling import wait_until
from support.redis_server import RedisServer
from support.snapshots import Series, published

PAGE: Final = (Path(__file__).parents[2] / "docs" / "reference" / "redis.md").read_text()
KEYS: Final = Keys("dramatiq")

_SECTION: Final = PAGE.partition("## Permissions of workers")[2].partition("\n## ")[0]
NEEDED: Final = re.findall(r"\+[\w|]+", _SECTION.partition("```\n")[2].partition("```")[0])
OPTIONAL: Final = re.findall(r"\+[\w|]+", " ".join(re.findall(r"^\| (`\+.*?`) \|", _SECTION, re.MULTILINE)))
#: Dramatiq needs them too.
_SHARED: Final = {"+evalsha", "+script|load"}

#: Permission → causes of the errors that its refusal counts. No key expires before a worker is missing.
EXPECTED: Final = {"+info": set(), "+hexists": {"host"}, "+expire": set(), "all of them": {"host", "sweep"}}

Work = Callable[[list[str]], tuple[dict[str, Series], float]]


@pytest.fixture
def work(shared_redis: RedisServer) -> Iterator[Work]:
    """Run ten jobs as a user with these permissions; what is published then, and the seconds of the stop."""
    reader = Reader(Settings(redis_url=Secret(shared_redis.url)))

    def work(permissions: list[str]) -> tuple[dict[str, Series], float]:
        admin = shared_redis.client()
        admin.flushall()
        admin.script_flush()
        for_dramatiq = "(~dramatiq* +@all -info -time)"
        admin.execute_command(
            "ACL", "SETUSER", "w", "reset", "on", ">pw", "~bioagents:*", *permissions, for_dramatiq
        )
        broker = RedisBroker(url=shared_redis.url.replace("//", "//w:pw@"))
        metrics = JobMetrics()
        broker.add_middleware(metrics)
        done: list[int] = []
        act = dramatiq.actor(broker=broker, actor_name="act")(lambda: done.append(1))
        worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=2)
        worker.start()
        try:
            for _ in range(10):
                act.send()
            wait_until(lambda: len(done) == 10)
            wait_until(
                lambda: (
                    metrics._flusher and (metrics._flusher._last_sweep > 0 or metrics._flusher._calls.denied)
                )
            )
        finally:
            before = time.monotonic()
            worker.stop()
        stopped = time.monotonic() - before
        metrics._stop()
        broker.close()
        return published(reader.read()), stopped

    yield work
    reader.close()


def test_documented_permissions_suffice(redis_server: RedisServer) -> None:
    """For flush, sign-off, sweep, claim and reaping."""
    rules = ["on", ">pw", "~bioagents:*", *NEEDED, *OPTIONAL]
    redis_server.client().execute_command("ACL", "SETUSER", "worker", *rules)
    link = Link(redis_server.client(username="worker", password="pw"), KEYS)  # noqa: S106 - a test's
    epoch = link.flush("w", Request(0, 0, 0, {}), kind="worker", beat="{}\n{}").epoch
    counts = {"q": {"processed|a": 1}}
    assert link.flush("w", Request(epoch, 0, 1, counts), kind="gone").stored == 1
    redis_server.client().hset(KEYS.beats, "lost", '1\n{}\n{"oldest":[["q","a",1,"job"]]}')
    sweep = Sweep(link, KEYS, Workers("w", Failures()))
    sweep.run(time.time_ns() // 1000, 0.1)
    assert not redis_server.client().hexists(KEYS.beats, "lost"), "older than a day: reaped"
    assert len(sweep.claim([Attempt(0, "q", "a", RedisMessageId("job"))])) == 1
    link.close()


@pytest.mark.parametrize("refused", [*OPTIONAL, "all of them"])
def test_counts_without_an_optional_permission(work: Work, refused: str) -> None:
    """Every job is counted and published, and the worker signs off; the stop takes no longer than usual."""
    allowed = [] if refused == "all of them" else [name for name in OPTIONAL if name != refused]
    found, stopped = work([*NEEDED, *allowed])
    assert found["jobs_processed_total"]["default", "act"] == 10
    assert found["jobs_enqueued_total"]["default", "act"] == 10
    assert sum(found["worker_boots_total"].values()) == 1
    assert (found["worker_slots"], found["workers_missing"]) == ({}, {(): 0})
    causes = {cause for (cause,), n in found["middleware_errors_total"].items() if n}
    assert causes == EXPECTED.get(refused, {"sweep"})
    assert stopped < _STOP_TIMEOUT / 2


@pytest.mark.parametrize("refused", [*sorted({*NEEDED} - _SHARED), "all of them"])
def test_jobs_run_without_a_needed_permission(
    work: Work, refused: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs are not affected, one line has the reason, and the stop does not wait for it."""
    allowed = [name for name in NEEDED if refused not in {name, "all of them"}]
    _, stopped = work([*allowed, *OPTIONAL])
    lines = [line for line in caplog.messages if "cannot send counts to Redis" in line]
    assert len(lines) == 1
    assert re.search("no permissions|user executing the script can't|ACL failure", lines[0])
    assert stopped < _STOP_TIMEOUT / 2


def test_a_refused_producer_ends_without_delay(shared_redis: RedisServer) -> None:
    """Its counts would be refused again, so that its end does not wait for them."""
    admin, metrics = shared_redis.client(), JobMetrics()
    admin.execute_command("ACL", "SETUSER", "p", "reset", "on", ">pw", "(~dramatiq* +@all)")
    broker = RedisBroker(url=shared_redis.url.replace("//", "//p:pw@"))
    broker.add_middleware(metrics)
    dramatiq.actor(lambda: None, broker=broker, actor_name="act").send()
    wait_until(lambda: metrics._flusher and metrics._flusher._calls.denied)
    before = time.monotonic()
    metrics._stop()
    assert time.monotonic() - before < _STOP_TIMEOUT / 2
    broker.close()


def test_a_service_without_info(tmp_path: Path) -> None:
    """Where the command has another name or does not exist, the sequences alone suffice."""
    server = RedisServer(tmp_path, rename_command="INFO hidden")
    link = Link(server.client(), KEYS)
    try:
        epoch = link.flush("w", Request(0, 0, 0, {}), kind="worker", beat="{}\n{}").epoch
        assert link.flush("w", Request(epoch, 0, 1, {"q": {"processed|a": 1}}), kind="worker").stored == 1
    finally:
        link.close()
        server.kill()


def test_users_with_and_without_info_share_an_epoch(shared_redis: RedisServer) -> None:
    """As producers and workers with different users: no call of one begins a new epoch for the other."""
    admin = shared_redis.client()
    admin.flushall()
    admin.execute_command("ACL", "SETUSER", "blind", "reset", "on", ">pw", "~bioagents:*", *NEEDED)
    links = [Link(shared_redis.client(username="blind", password="pw"), KEYS), Link(admin, KEYS)]  # noqa: S106 - a test's
    epochs = [
        link.flush(f"w{i}", Request(0, 0, 0, {}), kind="producer").epoch
        for _ in range(2)
        for i, link in enumerate(links)
    ]
    assert len(set(epochs)) == 1
    for link in links:
        link.close()
