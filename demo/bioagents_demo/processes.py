"""The processes of one demo: all in the process group of a guard, which ends them.

Exception
└── DemoError           the demo cannot continue
    └── ProgramEnded    a program ended by itself; has its exit status and its last line of output
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

_STEP: Final = 0.05  # seconds between two checks


class DemoError(Exception):
    """The demo cannot continue; the message is one line."""


class ProgramEnded(DemoError):  # noqa: N818 - it names what happened
    """A program of the demo ended by itself."""

    def __init__(self, name: str, status: int, last_line: str) -> None:
        super().__init__(f"{name} ended with status {status}: {last_line or 'it wrote nothing'}")
        self.status, self.last_line = status, last_line


@dataclass(frozen=True, slots=True)
class Command:
    """How to start one program."""

    name: str
    args: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # added to our own


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was started; its output is in ``log``."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise ProgramEnded if the program has ended."""
        if (status := self.process.poll()) is not None:
            raise ProgramEnded(self.name, status, self.last_line())

    def listens(self, port: int) -> bool:
        """Whether this program, and no other, listens on ``port``."""
        with suppress(psutil.Error):  # it has ended
            process = psutil.Process(self.process.pid)
            # psutil 5 has only the old name.
            connections = getattr(process, "net_connections", None) or process.connections
            return any(
                one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections("inet")
            )
        return False

    def last_line(self) -> str:
        """The last line of its output; empty if there is none."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def wait_until(self, ready: Callable[[], bool], *, timeout: float = 30.0) -> None:
        """Return once ``ready``; DemoError if the program ends before or ``timeout`` seconds pass."""
        deadline = time.monotonic() + timeout
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"{self.name} was not ready within {timeout:.0f} s: {self.last_line()}")
            time.sleep(_STEP)


class ProcessGroup:
    """A context in which programs can be started; after it none of their processes and files exists.

    Attributes:
        folder: for all files of this demo; removed at the end.
    """

    def __init__(self) -> None:
        # Not in the group of this process: Ctrl-C in a terminal goes to that whole group.
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "bioagents_demo.guard"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        self._programs: dict[str, Program] = {}
        self._stopped: set[str] = set()
        assert self._guard.stdout  # noqa: S101 - for the type checker: a pipe, see above
        self.folder = Path(self._guard.stdout.readline().decode().strip())
        if not self.folder.name:
            raise DemoError("cannot make a temporary folder; see the error above")

    def __enter__(self) -> Self:
        """Nothing to do: the constructor has started the guard."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every program and remove the folder: the guard does it when its input ends."""
        assert self._guard.stdin  # noqa: S101 - as above
        assert self._guard.stdout  # noqa: S101 - as above
        self._guard.stdin.close()
        if self._guard.wait():
            self._replace_guard()
        self._guard.stdout.close()
        for program in self._programs.values():
            program.process.wait()

    def _replace_guard(self) -> None:
        """Do the guard's work: it was killed, or could not end all."""
        with suppress(ProcessLookupError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, command: Command) -> Program:
        """Start a program; its output goes to ``<name>.log`` in the folder. A name is used once.

        The program gets no ``BIOAGENTS_`` variable of the user's environment: the demo sets its own.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BIOAGENTS_")}
        log = self.folder / f"{command.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command lines
                command.args, cwd=self.folder, env={**environment, **command.environment},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=self._guard.pid,
            )  # fmt: skip
        program = Program(command.name, process, log)
        self._programs[command.name] = program
        return program

    def stop(self, name: str) -> None:
        """Ask one program to stop (SIGTERM); :meth:`check` no longer expects it to run."""
        self._stopped.add(name)
        self._programs[name].process.terminate()

    def check(self) -> None:
        """Raise ProgramEnded if a program has ended by itself."""
        for name, program in self._programs.items():
            if name not in self._stopped:
                program.check()
        if self._guard.poll() is not None:
            raise DemoError("the guard of the demo has ended")
