"""The group: real processes that end with it, whatever ends it."""

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
#: A program with a child of its own, both deaf to SIGTERM.
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
    """What all that this test starts can be known by; this process was born without it."""
    value = uuid.uuid4().hex
    monkeypatch.setenv("LEFTOVER_MARK", value)
    return value


def sleeper(name: str = "sleeper", code: str = SLEEPER) -> Command:
    return Command(name, (sys.executable, "-c", code))


def test_programs_and_folder_end_with_the_group(mark: str) -> None:
    """Children of children and the deaf too."""
    with ProcessGroup() as group:
        program = group.start(sleeper(code=FAMILY))
        program.wait_until(lambda: program.log.read_text().count("up") == 2)
        assert len(marked(mark)) == 3  # the guard is the third
        assert group.folder.is_dir()
    assert marked(mark) == []
    assert not group.folder.exists()


def test_an_exception_ends_them_too(mark: str) -> None:
    """And is not hidden."""
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
def test_a_signal_to_the_demo_ends_them(mark: str, signum: signal.Signals, tmp_path: Path) -> None:
    """SIGKILL as well: the guard sees its standard input end."""
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


def test_a_program_that_ends_is_told_with_its_last_line() -> None:
    """Its name, its status and what it said last."""
    with ProcessGroup() as group:
        program = group.start(sleeper("short", "import sys; print('first'); sys.exit('the last word')"))
        with pytest.raises(ProgramEnded, match="short ended with status 1: the last word") as ended:
            program.wait_until(lambda: False)
        assert (ended.value.status, ended.value.last_line) == (1, "the last word")
        with pytest.raises(ProgramEnded):
            group.check()


def test_a_program_that_was_told_to_stop_may_end() -> None:
    """It is no longer expected to run."""
    with ProcessGroup() as group:
        program = group.start(sleeper("polite", "import time; print('up', flush=True); time.sleep(600)"))
        program.wait_until(lambda: "up" in program.log.read_text())
        group.stop("polite")
        program.process.wait(20)
        group.check()


def test_a_program_that_is_never_ready_is_told() -> None:
    """After its time."""
    with ProcessGroup() as group, pytest.raises(DemoError, match="sleeper was not ready within 0 s"):
        group.start(sleeper()).wait_until(lambda: False, timeout=0.2)


def test_programs_do_not_inherit_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the user's exporter does not change the demo's."""
    monkeypatch.setenv("BIOAGENTS_FLEET", "production")
    with ProcessGroup() as group:
        code = "import os, time; print(os.environ.get('BIOAGENTS_FLEET'), flush=True); time.sleep(600)"
        program = group.start(sleeper(code=code))
        program.wait_until(lambda: bool(program.last_line()))
        assert program.last_line() == "None"
