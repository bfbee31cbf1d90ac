"""``deploy/redis/users.acl`` in a real Redis: enough for each user, and no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker.reference.actors import declare
from support.compose import ROOT
from support.polling import free_port, wait_until
from support.programs import Program, require

ACL = ROOT / "deploy" / "redis" / "users.acl"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis that was started as the Compose file starts it."""
    folder, number = tmp_path_factory.mktemp("redis"), free_port()
    command = [require("redis-server"), "--port", str(number), "--bind", "127.0.0.1", "--dir", str(folder)]
    server = Program([*command, "--save", "", "--aclfile", str(ACL)], cwd=folder, name="redis")
    wait_until(lambda: answers(number), what=server.output())
    yield number
    server.stop()


def answers(port: int) -> bool:
    """The health check of the Compose file: PING without a user."""
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def user(port: int, name: str) -> redis.Redis:
    return redis.Redis(port=port, username=name, password="nopass")  # noqa: S106 - no secret


def test_who_names_no_user_may_ask_for_health_alone(port: int) -> None:
    """The health check works without a password, and that is all that works."""
    with redis.Redis(port=port) as client:
        assert client.ping()
        for command in (["GET", "dramatiq:x"], ["INFO"], ["KEYS", "*"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_exporter_reads_and_does_nothing_else(port: int) -> None:
    """Its two key patterns, read alone; KEYS, writes, scripts and other keys are refused."""
    with user(port, "exporter") as client:
        client.select(0)
        assert client.info("server")["run_id"]
        assert client.llen("dramatiq:chat") == 0
        assert client.hgetall("bioagents:{dramatiq}:v1:seqs") == {}
        refused = (
            ["SET", "dramatiq:x", "1"],
            ["GET", "other"],
            ["KEYS", "*"],
            ["EVAL", "return 1", "0"],
            ["FLUSHALL"],
        )
        for command in refused:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_worker_stays_within_its_keys(port: int) -> None:
    """It writes its own keys; what empties, configures or inspects the server is refused."""
    with user(port, "worker") as client:
        client.rpush("dramatiq:test", "x")
        client.delete("dramatiq:test")
        refused = (["SET", "other", "1"], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["ACL", "LIST"], ["SHUTDOWN"])
        for command in refused:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_reference_workers_run_under_their_rights(port: int, tmp_path: Path) -> None:
    """A job is done by a real worker process with these rights, and its counts arrive."""
    url = f"redis://worker:nopass@127.0.0.1:{port}/0"
    flags = ("--queues", "chat", "--processes", "1", "--threads", "1", "--redis.url", url)
    worker = Program([sys.executable, "-m", "bioagents_cli", "worker", *flags], cwd=tmp_path, name="worker")
    broker = RedisBroker(url=url)  # type: ignore[no-untyped-call]
    try:
        declare(broker).answer.send(seconds=0.1)
        with user(port, "exporter") as client:
            totals = "bioagents:{dramatiq}:v1:totals:chat"
            wait_until(lambda: client.hget(totals, "processed|answer") == b"1", what=worker.output())
    finally:
        worker.stop()
        broker.close()
