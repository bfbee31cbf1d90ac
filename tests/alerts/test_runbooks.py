"""The commands of the runbooks: the safe ones run, and change nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker.wire import State
from support.checkout import ROOT
from support.exporter import Exporter
from support.redis_server import RedisServer
from support.wire_fleet import WireFleet

BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
PAGES = sorted((ROOT / "docs/runbooks").glob("*.md"))
COUNTS = {"enqueued": 9, "processed": 7, "succeeded": 4, "retries": 2, "dead": 1, "skipped": 0}


def _blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def _fill(server: RedisServer) -> None:
    """A queue with jobs in every state, a worker, and its counts."""
    broker = RedisBroker(url=server.url)
    broker.declare_queue("chat")
    for number in range(3):
        broker.enqueue(Message(queue_name="chat", actor_name="answer", args=(number,), kwargs={}, options={}))
    broker.enqueue(
        Message(queue_name="chat", actor_name="answer", args=(), kwargs={}, options={}), delay=3_600_000
    )
    totals = {f"{name}|answer": count for name, count in COUNTS.items()} | {"failures|answer|KeyError": 3}
    with server.client() as client:
        fleet = WireFleet(client)
        fleet.flush("w1", State(threads=8, consumers=2, rss=1 << 26, limit=1 << 30), totals={"chat": totals})
        fleet.flush("w1", State(draining=True, threads=8, consumers=2, rss=1 << 26, limit=1 << 30))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, Exporter]]:
    """A Redis with a fleet in it, and an exporter of it."""
    folder = tmp_path_factory.mktemp("runbooks")
    server = RedisServer(folder / "redis")
    try:
        _fill(server)
        exporter = Exporter(folder, "--redis.url", server.url)
        try:
            yield server, exporter
        finally:
            exporter.kill()
    finally:
        server.kill()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_safe_command_runs(places: tuple[RedisServer, Exporter], tmp_path: Path, page: Path) -> None:
    """Each block ends with 0, complains of nothing and changes nothing in Redis."""
    server, exporter = places
    environment = {**os.environ, "REDIS_URL": server.url, "TMPDIR": str(tmp_path)}
    for kind, text in _blocks(page):
        if kind == "sh":
            command = text.replace("127.0.0.1:9877", f"127.0.0.1:{exporter.port}")
            command = command.replace("/tmp/", "./")  # noqa: S108 - the page's folder, not ours
            before = _changes(server)
            done = subprocess.run(
                ["sh", "-eu", "-c", command], cwd=tmp_path, env=environment,
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}\n{done.stderr}"
            assert _changes(server) == before, command


def _changes(server: RedisServer) -> int:
    with server.client() as client:
        return int(client.info("persistence")["rdb_changes_since_last_save"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_says_what_it_is(page: Path) -> None:
    """``sh`` is safe, ``sh change`` is not but is a command too; what has no name is PromQL or output."""
    for kind, text in _blocks(page):
        assert kind in {"", "promql", "text", "sh", "sh change"}, kind
        if kind.startswith("sh"):
            parsed = subprocess.run(["sh", "-n", "-c", text], capture_output=True, text=True, check=False)
            assert (parsed.returncode, parsed.stderr) == (0, ""), text


def test_most_pages_have_a_command() -> None:
    """Whoever is woken has something to paste; Watchdog alone is about Prometheus itself."""
    without = {page.stem for page in PAGES if "sh" not in {kind for kind, _ in _blocks(page)}}
    assert without <= {"Watchdog"}
