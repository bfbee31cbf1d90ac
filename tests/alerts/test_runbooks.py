"""The commands of the runbooks: the safe ones run, print something and change nothing."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker.wire import RunningJob, State
from support.exporter import Exporter
from support.polling import wait_until
from support.redis_server import RedisServer
from support.runbooks import PAGES, blocks, blocks_of, refusal, statements
from support.wire_fleet import WireFleet

COUNTS = {"enqueued": 9, "processed": 7, "succeeded": 4, "retries": 2, "dead": 1, "skipped": 0}
TOTALS = {f"{name}|answer": count for name, count in COUNTS.items()} | {"failures|answer|KeyError": 3}
STATE = State(
    threads=8, consumers=2, rss=1 << 26, limit=1 << 30, flush_age=0.1, running={"chat": 1},
    oldest=(RunningJob("chat", "answer", 5.0, "00000000-0000-0000-0000-000000000001"),),
)  # fmt: skip
#: A key of Dramatiq or of ours, up to what ends it in prose, in a shell or in Python.
KEY = re.compile(r"""(?:(?<![\w:"])|(?<=['"]))(?:dramatiq|<namespace>|bioagents):[^\s'"`$)]+""")
PLACES = {"<namespace>": "dramatiq", "<queue>": "chat", "<worker>": "*"}

#: A name that a shell, awk, Python and Redis would each read in another way.
ODD = 'it\'s "$(touch pwned)" `touch pwned` * [a] \\ é/b'

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def _fill(server: RedisServer, queue: str, worker: str) -> None:
    """A queue with jobs in every state, a worker with its counts, and one that was lost."""
    broker = RedisBroker(url=server.url)
    broker.declare_queue(queue)
    for number in range(5):
        broker.enqueue(_job(queue, number))
    for number in range(3):
        broker.enqueue(_job(queue, number), delay=3_600_000)
    consumer, delayed = (broker.consume(name, prefetch=2) for name in (queue, f"{queue}.DQ"))
    held, given_up = next(consumer), next(consumer)
    assert None not in (held, given_up, next(delayed))
    consumer.nack(given_up)
    with server.client() as client:
        fleet = WireFleet(client)
        fleet.flush(worker, STATE, totals={queue: TOTALS})
        client.hset(fleet.keys.lost, mapping={"worker:w0": "0", given_up.options["redis_message_id"]: "w0"})
        # Messages that no worker holds, and a command that was slow.
        client.hset(f"dramatiq:{queue}.msgs", "00000000-0000-0000-0000-000000000000", "{}")
        client.config_set("slowlog-log-slower-than", 0)
        client.ping()


def _job(queue: str, number: int) -> Message[object]:
    return Message(queue_name=queue, actor_name="answer", args=(number,), kwargs={}, options={})


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, Exporter]]:
    """A Redis with a fleet in it, and an exporter of it that has read everything."""
    folder = tmp_path_factory.mktemp("runbooks")
    server = RedisServer(folder / "redis", appendonly="yes")
    try:
        _fill(server, "chat", "w1")
        _fill(server, ODD, "w2")
        exporter = Exporter(folder, "--redis.url", server.url)
        try:
            seen = "bioagents_queue_unheld_jobs{"  # what takes it several looks
            wait_until(lambda: exporter.get("/metrics").text.count(seen) == 2, timeout=90, what=seen)
            yield server, exporter
        finally:
            exporter.kill()
    finally:
        server.kill()


@each_page
def test_every_safe_command_runs(places: tuple[RedisServer, Exporter], tmp_path: Path, page: Path) -> None:
    """Each part of a command ends with 0; it prints something, complains of nothing, changes nothing."""
    _run(places, tmp_path, page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", [page.stem for page in PAGES if any("chat" in text for _, text in blocks(page))]
)
def test_every_command_runs_for_a_queue_of_any_name(
    places: tuple[RedisServer, Exporter], tmp_path: Path, name: str
) -> None:
    """The link of an alert fills in its queue: commands in a name do not run, and the queue is found."""
    _, exporter = places
    text = exporter.get(f"/runbooks/{name}?queue={quote_plus(ODD)}").text
    shown = json.dumps(ODD, ensure_ascii=False)
    assert text.startswith(f"# {name}\n\nThe commands on this page are for the queue {shown}.\n")
    _run(places, tmp_path, text)
    assert not (tmp_path / "pwned").exists()
    for _, block in blocks_of(text, "sh", "sh change"):
        assert refusal(block) == "", block
        assert not re.search(r"dramatiq:chat|queue=.chat|['\"]chat", block)


def _run(places: tuple[RedisServer, Exporter], folder: Path, text: str) -> None:
    server, exporter = places
    with server.client() as client:
        WireFleet(client).flush("w1", STATE)
    environment = {**os.environ, "REDIS_URL": server.url, "TMPDIR": str(folder)}
    for _, block in blocks_of(text, "sh"):
        for statement in statements(block):
            command = statement.replace("127.0.0.1:9877", f"127.0.0.1:{exporter.port}")
            command = command.replace("/tmp/", "./")  # noqa: S108 - the page's folder, not ours
            before = _changes(server)
            done = subprocess.run(
                ["bash", "-eu", "-o", "pipefail", "-c", command], cwd=folder, env=environment,
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}\n{done.stderr}"
            output = done.stdout + _written(statement, folder)
            assert output.strip(), f"nothing: {command}"
            assert not re.search(r"^ERR ", output, re.MULTILINE), f"{command}\n{output}"
            assert [field for field in _fields(statement) if f"{field}:" not in output] == [], command
            assert _changes(server) == before, command


def _written(statement: str, folder: Path) -> str:
    """What a command wrote into the file at its end."""
    found = re.search(r"> /tmp/([\w-]+)$", statement)
    return (folder / found[1]).read_text() if found else ""


def _fields(statement: str) -> list[str]:
    """The fields that a command picks from what Redis says of itself."""
    picked = re.search(r"grep -E '\^\(([^()]*)\):'", statement)
    return picked[1].split("|") if picked else []


def _changes(server: RedisServer) -> int:
    with server.client() as client:
        return int(client.info("persistence")["rdb_changes_since_last_save"])


def test_every_key_is_there(places: tuple[RedisServer, Exporter]) -> None:
    """A key that a page names is one that Dramatiq or a worker has made in a Redis with a fleet."""
    server, _ = places
    with server.client() as client:
        present = [key.decode() for key in client.scan_iter()]
    for name in {name for page in PAGES for name in KEY.findall(page.read_text(encoding="utf-8"))}:
        pattern = name
        for placeholder, text in PLACES.items():
            pattern = pattern.replace(placeholder, text)
        assert fnmatch.filter(present, pattern), f"no key is like {name}"


def test_every_block_says_what_it_is() -> None:
    """``sh`` is safe, ``sh change`` is not but is a command too; other tests read ``promql`` and ``yaml``."""
    for kind, text in (block for page in PAGES for block in blocks(page)):
        assert kind in {"promql", "sh", "sh change", "yaml"}, kind
        if kind.startswith("sh"):
            parsed = subprocess.run(["sh", "-n", "-c", text], capture_output=True, text=True, check=False)
            assert (parsed.returncode, parsed.stderr, refusal(text)) == (0, "", ""), text


def test_most_pages_have_a_command() -> None:
    """The person on call has something to paste; Watchdog alone is about Prometheus itself."""
    assert {page.stem for page in PAGES if not blocks(page, "sh")} <= {"Watchdog"}
