"""``bioagents demo`` as a user starts it: real servers and workers, none of which is left at its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest

from bioagents_demo.processes import ProcessGroup, ProgramEnded
from bioagents_demo.servers import Address, start_exporter
from support.exporter import Exporter
from support.monitoring import answers, get
from support.polling import free_port, wait_until
from support.programs import Program, Terminal, marked
from support.redis_server import RedisServer

DEMO = (sys.executable, "-m", "bioagents_cli", "demo")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


class Running:
    """A demo under test: its process, its temporary folder, and a mark by which its processes are found."""

    def __init__(self, folder: Path, *args: str, path: str | None = None) -> None:
        self.mark, self.port = uuid.uuid4().hex, free_port()
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        env = {"LEFTOVER_MARK": self.mark, "TMPDIR": str(self.temporary)} | ({"PATH": path} if path else {})
        command = [*DEMO, "--web.listen-address", f"127.0.0.1:{self.port}", *args]
        self.program = Program(command, cwd=folder, name="demo", env=env)

    def wait_for(self, text: str, *, timeout: float = 60.0) -> None:
        wait_until(
            lambda: text in self.program.output(),
            timeout=timeout,
            what=f"{text!r} in {self.program.output()}",
        )

    def wait_for_workers(self) -> None:
        """Wait until the exporter knows the two chat workers."""
        self.wait_for("  metrics  ")
        known = re.compile(r'^bioagents_queue_workers\{.*queue="chat".*\} 2$', re.MULTILINE)
        wait_until(lambda: known.search(get(self.address("metrics"))), what="two chat workers")

    def address(self, name: str) -> str:
        """The address that the heading gives for ``name``."""
        return re.search(rf"^ +{name} +(\S+)", self.program.output(), re.MULTILINE)[1]  # type: ignore[index]

    def leftovers(self) -> list[str]:
        return [*marked(self.mark), *(str(path) for path in self.temporary.iterdir())]


@pytest.fixture
def demos() -> Iterator[list[Running]]:
    """Demos to be killed at the end of a test, however it ends."""
    running: list[Running] = []
    yield running
    for demo in running:
        demo.program.kill()
        wait_until(lambda at=demo: not at.leftovers(), what=f"nothing left: {demo.leftovers()}")  # type: ignore[misc]


def start(demos: list[Running], folder: Path, *args: str, path: str | None = None) -> Running:
    demos.append(Running(folder, *args, path=path))
    return demos[-1]


def test_demo_shows_a_fleet_and_ends_by_itself(demos: list[Running], tmp_path: Path) -> None:
    """Jobs are done, all addresses answer, and after its duration nothing of it is left."""
    demo = start(demos, tmp_path, "--duration", "12")
    demo.wait_for("00:00  ordinary load")
    assert "bioagents_queue_depth" in get(demo.address("metrics"))
    assert answers(demo.address("status page"))
    assert answers(f"{demo.address('Prometheus')}/-/ready")
    assert answers(f"{demo.address('Alertmanager')}/-/ready")
    assert demo.program.process.wait(60) == 0
    output = demo.program.output()
    assert re.search(r"chat: waiting \d+, delayed \d+, running \d+, done [1-9]", output), output
    assert re.search(r"chat: .* workers 2\n", output)
    assert re.search(r"deep-research: .* workers 1\n", output)
    assert "burst: 300 chat jobs at once" in output
    assert output.endswith("time is over; nothing is left behind\n")
    assert demo.leftovers() == []


@pytest.mark.parametrize("signum", SIGNALS)
def test_signal_stops_everything(demos: list[Running], tmp_path: Path, signum: signal.Signals) -> None:
    """Processes and folder are gone, after SIGKILL too; after any other signal the status is 0."""
    demo = start(demos, tmp_path)
    demo.wait_for_workers()
    assert len(marked(demo.mark)) >= 9
    demo.program.signal(signum)
    status = demo.program.process.wait(20)
    wait_until(lambda: not demo.leftovers(), what=f"nothing left: {demo.leftovers()}")
    if signum != signal.SIGKILL:
        assert status == 0
        assert demo.program.output().endswith("stopped; nothing is left behind\n")


@pytest.mark.parametrize("moment", range(4))
def test_signal_during_the_start_stops_everything(demos: list[Running], tmp_path: Path, moment: int) -> None:
    """Whichever processes run by then: guard, Valkey, exporter, Alertmanager."""
    demo = start(demos, tmp_path)
    wait_until(lambda: len(marked(demo.mark)) >= moment + 2, what="its next process", interval=0.005)
    demo.program.signal(signal.SIGTERM)
    assert demo.program.process.wait(20) == 0
    wait_until(lambda: not demo.leftovers(), what=f"nothing left: {demo.leftovers()}")


@pytest.mark.parametrize(
    "victim", ["valkey-server", "bioagents_cli exporter", "bioagents_demo.producer", "bioagents_demo.guard"]
)
def test_program_that_dies_ends_the_demo(demos: list[Running], tmp_path: Path, victim: str) -> None:
    """With one line that names it and status 1; nothing is left."""
    demo = start(demos, tmp_path)
    demo.wait_for_workers()
    for process in psutil.Process(demo.program.pid).children(recursive=True):
        if victim in " ".join(process.cmdline()):
            process.kill()
    assert demo.program.process.wait(30) == 1
    assert re.search(
        r"^bioagents demo: .+ (ended with status|has ended)", demo.program.output(), re.MULTILINE
    )
    wait_until(lambda: not demo.leftovers(), what=f"nothing left: {demo.leftovers()}")


def test_port_in_use_is_an_error(redis_server: RedisServer, tmp_path: Path) -> None:
    """By another exporter: one line with the address and status 2, before any program is started."""
    other, folder = Exporter(tmp_path, "--redis.url", redis_server.url), tmp_path / "tmp"
    folder.mkdir()
    try:
        for host in ("127.0.0.1", "localhost", ""):
            address = f"{host}:{other.port}"
            started, errors = refusal(folder, "--web.listen-address", address, "--duration", "1")
            assert errors.count("\n") == 1, errors
            assert errors.startswith(
                f"bioagents demo: --web.listen-address {address}: Address already in use"
            )
            assert len(started) <= 1, started  # the demo itself
            assert list(folder.iterdir()) == []
    finally:
        other.kill()


def test_another_exporter_is_not_taken_for_its_own(redis_server: RedisServer, tmp_path: Path) -> None:
    """One that takes the port in the moment before the demo's exporter starts, and answers at once."""
    other = Exporter(tmp_path, "--redis.url", redis_server.url)
    try:
        with ProcessGroup() as processes, pytest.raises(ProgramEnded, match="Address already in use"):
            start_exporter(processes, redis_server.url, Address("127.0.0.1", other.port))
    finally:
        other.kill()


def refusal(temporary: Path, *args: str) -> tuple[set[str], str]:
    """The processes of a demo that does not start, and what it says."""
    mark, started = uuid.uuid4().hex, set[str]()
    env = {**os.environ, "TMPDIR": str(temporary), "LEFTOVER_MARK": mark}
    with subprocess.Popen([*DEMO, *args], env=env, stdout=PIPE, stderr=PIPE, text=True) as process:
        while process.poll() is None:
            started |= {*marked(mark)}
        output, errors = process.communicate()
    assert (process.returncode, output) == (2, "")
    return started, errors


@pytest.mark.parametrize(
    "args",
    [
        ("--duration", "soon"),
        ("--duration", "0"),
        ("--web.listen-address", "9877"),
        ("--web.listen-address", "127.0.0.1:99999"),
        ("--web.listen-address", "192.0.2.1:0"),
        ("--durations", "5"),
    ],
)
def test_bad_input_is_an_error(args: tuple[str, str]) -> None:
    """One line that names the flag, and status 2, before anything is started."""
    done = subprocess.run([*DEMO, *args], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert args[0] in done.stderr


def test_prometheus_is_optional(demos: list[Running], tmp_path: Path) -> None:
    """What is not on the PATH is reported and not started; all else works."""
    demo = start(demos, tmp_path, path=str(tmp_path))
    demo.wait_for_workers()
    assert demo.program.output().count("not on the PATH, so not started") == 2


def test_terminal_is_redrawn_in_place(tmp_path: Path) -> None:
    """On a terminal the table stays in place, and Ctrl-C stops everything."""
    mark, temporary = uuid.uuid4().hex, tmp_path / "tmp"
    temporary.mkdir()
    args = [*DEMO, "--web.listen-address", f"127.0.0.1:{free_port()}"]
    terminal = Terminal(args, env={"LEFTOVER_MARK": mark, "TMPDIR": str(temporary)})
    try:
        # Up to the top of the block, erased, and drawn again.
        terminal.wait_for(rb"\x1b\[\d+A\r\x1b\[J[^\x1b]*\r\nchat +\d")
        terminal.type(b"\x03")
        terminal.wait_for(b"stopped; nothing is left behind")
        assert terminal.process.wait(20) == 0
    finally:
        terminal.close()
    wait_until(lambda: not marked(mark), what=f"nothing left: {marked(mark)}")
    assert list(temporary.iterdir()) == []


def test_end_of_the_reader_ends_the_demo(tmp_path: Path) -> None:
    """As in ``bioagents demo | head``: no traceback, status 0, nothing left."""
    mark, temporary = uuid.uuid4().hex, tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "LEFTOVER_MARK": mark, "TMPDIR": str(temporary)}
    args = [*DEMO, "--web.listen-address", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""
    wait_until(lambda: not marked(mark), what=f"nothing left: {marked(mark)}")
    assert list(temporary.iterdir()) == []
