"""``bioagents worker``: it becomes a real dramatiq, or ends with one line and status 2."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_cli.main import main
from bioagents_demo.reference.actors import declare
from bioagents_demo.worker_command import parse
from bioagents_worker.wire import Keys
from support.polling import free_port, wait_until
from support.programs import Program
from support.redis_server import RedisServer

PASSWORD = "k7-secret"  # noqa: S105 - must not be printed


@pytest.fixture
def guarded_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis with a password."""
    server = RedisServer(tmp_path / "guarded", requirepass=PASSWORD)
    yield server
    server.kill()


@pytest.fixture
def clustered_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis Cluster of one node."""
    server = RedisServer(tmp_path / "cluster", port=free_port(), cluster_enabled="yes")
    yield server
    server.kill()


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """The one line with which the command ends."""
    assert main(["worker", *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert PASSWORD not in captured.err
    return captured.err.strip()


def test_it_runs_the_jobs_of_its_queues_only(redis_server: RedisServer, tmp_path: Path) -> None:
    """Two real processes have heartbeats; a job of another queue stays in it; SIGTERM ends them."""
    args = ["--queues", "chat", "--processes", "2", "--threads", "4", "--redis.url", redis_server.url]
    args += ["--redis.namespace", "ns", "--shutdown-timeout", "5"]
    program = Program([sys.executable, "-m", "bioagents_cli", "worker", *args], cwd=tmp_path, name="worker")
    broker = RedisBroker(url=redis_server.url, namespace="ns")
    try:
        actors = declare(broker)
        actors.answer.send(seconds=0.01)
        actors.research.send(seconds=0.01)
        keys, client = Keys("ns"), redis_server.client()
        wait_until(lambda: client.hlen(keys.beats) == 2, what=program.output())
        wait_until(lambda: client.hget(keys.totals("chat"), "succeeded|answer") == b"1", what="the job's end")
        assert client.llen("ns:deep-research") == 1
        program.signal(signal.SIGTERM)
        assert program.process.wait(20) == 0
        wait_until(lambda: client.hlen(keys.beats) == 0, what="their sign-off")
        client.close()
    finally:
        program.stop()
        broker.close()


def test_long_jobs_may_finish() -> None:
    """They have eight hours after SIGTERM, and a busy worker prefetches no more than it has threads."""
    launch = parse(["--threads", "3", "--queues", "deep-research"], "bioagents worker")
    arguments = " ".join(launch.arguments())
    assert "--worker-shutdown-timeout 28800000" in arguments
    assert arguments.endswith("--queues deep-research")
    assert launch.variables()["dramatiq_queue_prefetch"] == "3"


def test_wrong_address_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the address."""
    port = free_port()
    line = refusal(capsys, "--redis.url", f"redis://:{PASSWORD}@127.0.0.1:{port}/0")
    assert line.startswith(f"bioagents worker: --redis.url: no Redis at 127.0.0.1:{port}/0: ")


def test_wrong_or_missing_password_is_an_error(
    capsys: pytest.CaptureFixture[str], guarded_redis: RedisServer
) -> None:
    """The line says that Redis rejects it; the same Redis accepts the right one."""
    address = f"127.0.0.1:{guarded_redis.port}/0"
    for user in (":wrong@", ""):
        line = refusal(capsys, "--redis.url", f"redis://{user}{address}")
        assert f"Redis at {address} rejects user or password" in line
    with guarded_redis.client(password=PASSWORD) as client:
        assert client.ping()


def test_cluster_is_an_error(capsys: pytest.CaptureFixture[str], clustered_redis: RedisServer) -> None:
    """The plain client of the reference workers cannot use a Redis Cluster."""
    assert "is a Redis Cluster, expected a single Redis or Valkey" in refusal(
        capsys, "--redis.url", clustered_redis.url
    )


def test_bad_input_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the flag, the value and what was expected."""
    expected = {
        ("--redis.url", f"http://:{PASSWORD}@h/0"): "is not a valid Redis URL, expected e.g. redis://",
        ("--redis.url", f"redis://:{PASSWORD}/x@h/0"): "'h/0' is not a valid Redis URL",
        ("--redis.url", "redis://h/x"): "--redis.url: 'h/x' is not a valid Redis URL",
        ("--redis.url", ""): "--redis.url: '' is not a valid Redis URL",
        ("--redis.namespace", ""): "--redis.namespace: '': expected the namespace of RedisBroker",
        ("--redis.namespace", "a b"): "--redis.namespace: 'a b': expected the namespace of RedisBroker",
        ("--queues", "caht"): "unknown queue 'caht', expected chat or deep-research",
        ("--processes", "0"): "'0', expected a whole number from 1 to 1000",
        ("--processes", "99999999"): "'99999999', expected a whole number from 1 to 1000",
        ("--threads", "four"): "'four', expected a whole number from 1 to 1000",
        ("--shutdown-timeout", "-1"): "expected",
        ("--speed", "0"): "'0': expected a positive number",
        ("--que", "chat"): "unknown flag --que",
    }
    lines = {args: refusal(capsys, *args) for args in expected}
    assert not {args: line for args, line in lines.items() if expected[args] not in line}


def test_bad_variable_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the variable; with the flag the variable is not read."""
    monkeypatch.setenv("BIOAGENTS_SPEED", "abc")
    assert refusal(capsys) == "bioagents worker: $BIOAGENTS_SPEED: 'abc': expected a positive number"
    assert parse(["--speed", "2"], "bioagents worker").environment.speed == 2.0


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """As that of every command."""
    with pytest.raises(SystemExit) as ended:
        main(["worker", "--help"])
    assert ended.value.code == 0
    assert "example:\n  bioagents worker --queues chat" in capsys.readouterr().out
