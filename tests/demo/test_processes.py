"""The process group of the demo: all its processes end with it, in whatever way it ends."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from pathlib import Path

import pytest

from bioagents_demo.processes import Command, DemoError, ProcessGroup, ProgramEnded
from support.polling import wait_until
from support.programs import Program, marked

SLEEPER = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(600)"
)
#: A program with a child of its own; both ignore SIGTERM.
FAMILY = f"import os; os.fork(); {SLEEPER}"
HOLDER = f"""
import sys, time
from bioagents_demo.processes import Command, ProcessGroup
with ProcessGroup() as group:
    family = group.start(Command("family", (sys.executable, "-c", {FAMILY!r})))
    family.wait_until(lambda: family.log.read_text().count("up") == 2)
    print(group.folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """A mark in the environment of all processes that this test starts, but not in this one."""
    value = uuid.uuid4().hex
    monkeypatch.setenv("LEFTOVER_MARK", value)
    return value


def sleeper(name: str = "sleeper", code: str = SLEEPER) -> Command:
    return Command(name, (sys.executable, "-c", code))


def test_programs_and_folder_end_with_the_group(mark: str) -> None:
    """Also children of children, and those that ignore SIGTERM."""
    with ProcessGroup() as group:
        program = group.start(sleeper(code=FAMILY))
        program.wait_until(lambda: program.log.read_text().count("up") == 2)
        assert len(marked(mark)) == 3  # the guard is the third
        assert group.folder.is_dir()
    assert marked(mark) == []
    assert not group.folder.exists()


def test_a_program_listens_or_another_does(mark: str) -> None:
    """A port that another program has is not the program's, though it answers."""
    server = (
        "import socket, sys, time; s = socket.create_server(('127.0.0.1', 0));"
        "print(s.getsockname()[1], flush=True); time.sleep(600)"
    )
    with ProcessGroup() as group:
        one, other = (group.start(sleeper(name, server)) for name in ("one", "other"))
        one.wait_until(lambda: one.last_line() and other.last_line())
        port = int(one.last_line())
        assert (one.listens(port), other.listens(port)) == (True, False)
        group.stop("one")
        one.process.wait()
        assert not one.listens(port)
    assert marked(mark) == []


def test_exception_ends_them_too(mark: str) -> None:
    """And is raised."""
    group = ProcessGroup()

    def play() -> None:
        with group:
            group.start(sleeper())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        play()
    assert marked(mark) == []
    assert not group.folder.exists()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_to_the_demo_ends_them(mark: str, signum: signal.Signals, tmp_path: Path) -> None:
    """SIGKILL too: the guard's standard input ends."""
    holder = Program([sys.executable, "-c", HOLDER], cwd=tmp_path, name="holder")
    try:
        folder = Path(wait_until(lambda: holder.output().strip(), what="the folder's name"))
        assert folder.is_dir()
        os.kill(holder.pid, signum)
        holder.process.wait(20)
        wait_until(lambda: not marked(mark), what=f"the end of {marked(mark)}")
        wait_until(lambda: not folder.exists(), what=f"the end of {folder}")
    finally:
        holder.kill()


def test_program_that_ends_is_an_error_with_its_last_line() -> None:
    """The error has its name, its status and its last line of output."""
    with ProcessGroup() as group:
        program = group.start(sleeper("short", "import sys; print('first'); sys.exit('the last word')"))
        with pytest.raises(ProgramEnded, match="short ended with status 1: the last word") as ended:
            program.wait_until(lambda: False)
        assert (ended.value.status, ended.value.last_line) == (1, "the last word")
        with pytest.raises(ProgramEnded):
            group.check()


def test_stopped_program_may_end() -> None:
    """After ``stop`` it is no longer expected to run."""
    with ProcessGroup() as group:
        program = group.start(sleeper("polite", "import time; print('up', flush=True); time.sleep(600)"))
        program.wait_until(lambda: "up" in program.log.read_text())
        group.stop("polite")
        program.process.wait(20)
        group.check()


def test_program_that_is_never_ready_is_an_error() -> None:
    """After the timeout, with its name."""
    with ProcessGroup() as group, pytest.raises(DemoError, match="sleeper was not ready within 0 s"):
        group.start(sleeper()).wait_until(lambda: False, timeout=0.2)


def test_programs_do_not_inherit_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``BIOAGENTS_`` variable of the user does not reach the demo's programs."""
    monkeypatch.setenv("BIOAGENTS_FLEET", "production")
    with ProcessGroup() as group:
        code = "import os, time; print(os.environ.get('BIOAGENTS_FLEET'), flush=True); time.sleep(600)"
        program = group.start(sleeper(code=code))
        program.wait_until(lambda: bool(program.last_line()))
        assert program.last_line() == "None"
