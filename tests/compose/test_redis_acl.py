"""``deploy/redis/users.acl`` in a real Redis: each user has the rights that it needs and no others."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from bioagents_demo.reference.actors import declare
from support.checkout import resolved
from support.monitoring import get
from support.polling import free_port, wait_until
from support.programs import Program, require


def command_of(service: str) -> list[str]:
    """The command of a service, with the mounted files of this checkout in place of the container's."""
    found = resolved()["services"][service]
    files = {mount["target"]: mount["source"] for mount in found.get("volumes", [])}
    return [files.get(argument, argument) for argument in found["command"]]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Redis that was started as in the Compose file."""
    folder, number = tmp_path_factory.mktemp("redis"), free_port()
    program, *flags = command_of("redis")
    here = ["--port", str(number), "--bind", "127.0.0.1", "--dir", str(folder)]
    server = Program([require(program), *flags, *here], cwd=folder, name="redis")
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


def test_the_default_user_may_only_ping(port: int) -> None:
    """The health check works without a password; every other command is refused."""
    with redis.Redis(port=port) as client:
        assert client.ping()
        for command in (["GET", "dramatiq:x"], ["INFO"], ["KEYS", "*"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_exporter_reads_and_does_nothing_else(port: int) -> None:
    """It reads its two key patterns; KEYS, writes, scripts and other keys are refused."""
    with user(port, "exporter") as client:
        client.select(0)
        assert client.info("server")["run_id"]
        assert client.llen("dramatiq:unused") == 0
        assert client.hgetall("bioagents:{unused}:v1:seqs") == {}
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
    """It writes its own keys; commands that empty, configure or inspect the server are refused."""
    with user(port, "worker") as client:
        client.rpush("dramatiq:test", "x")
        client.delete("dramatiq:test")
        refused = (["SET", "other", "1"], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["ACL", "LIST"], ["SHUTDOWN"])
        for command in refused:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def start(port: int, service: str, folder: Path) -> Program:
    """Start a service with its command and user from the Compose file, on this Redis and a free port."""
    given = resolved()["services"][service]["environment"]
    environment = {k: v.replace("redis:6379", f"127.0.0.1:{port}") for k, v in given.items()}
    command = [flag.replace("0.0.0.0:9877", "127.0.0.1:0") for flag in command_of(service)]
    return Program(
        [sys.executable, "-m", "bioagents_cli", *command], cwd=folder, name=service, env=environment
    )


def test_services_run_under_their_rights(port: int, tmp_path: Path) -> None:
    """A worker runs a job with its rights, and an exporter publishes it with its own, without any error."""
    with ExitStack() as cleanup:
        worker, exporter = (start(port, service, tmp_path) for service in ("chat", "exporter"))
        cleanup.callback(exporter.stop)
        cleanup.callback(worker.stop)
        broker = RedisBroker(url=f"redis://worker:nopass@127.0.0.1:{port}/0")  # type: ignore[no-untyped-call]
        cleanup.callback(broker.close)
        declare(broker).answer.send(seconds=0.1)
        listening = re.compile(r"listening on (\S+)")
        page = wait_until(lambda: listening.findall(exporter.output()), what=exporter.output())[0]
        done = 'bioagents_jobs_succeeded_total{fleet="dramatiq",queue="chat",actor="answer"} 1'
        wait_until(lambda: done in get(page), what=f"{done}, {worker.output()}, {exporter.output()}")
        metrics = get(page)
    assert 'bioagents_redis_up{fleet="dramatiq"} 1' in metrics
    assert 'bioagents_queue_workers{fleet="dramatiq",queue="chat"} 2' in metrics
    assert 'bioagents_queue_depth{fleet="dramatiq",queue="deep-research",state="waiting"} 0' in metrics
    assert (
        'bioagents_queue_job_duration_limit_seconds{fleet="dramatiq",queue="deep-research"} 28800' in metrics
    )
    memory = re.search(r"^bioagents_redis_memory_max_bytes\{.*\} (\d+)$", metrics, flags=re.MULTILINE)
    assert memory, "without a limit RedisMemoryHigh cannot fire"
    assert int(memory[1]) == 512 << 20
    errors = re.findall(r"^bioagents_exporter_scrape_errors_total\{.*\} (\d+)$", metrics, flags=re.MULTILINE)
    assert errors
    assert set(errors) == {"0"}
    assert not re.findall(r"^bioagents_exporter_source_success\{.*\} 0$", metrics, flags=re.MULTILINE)
