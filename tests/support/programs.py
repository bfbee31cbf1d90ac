"""Programs under test: start, watch and stop them."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import psutil

#: Debian's stable release has one build of a server, its unstable release a newer one; tests use both.
Release: TypeAlias = Literal["stable", "newer"]
RELEASES: Final[tuple[Release, ...]] = ("stable", "newer")

_NEWER: Final = Path(__file__).parents[2] / ".servers" / "bin"


def require(program: str, release: Release = "stable") -> str:
    """The path of an installed program; a missing one fails the test, it never skips it."""
    path = shutil.which(program, path=None if release == "stable" else str(_NEWER))
    assert path, f"{program} ({release}) is not installed: run `make deps`"
    return path


class Program:
    """One child process with a log file, in a process group of its own so that its children end with it."""

    def __init__(
        self, args: Sequence[str], *, cwd: Path, name: str, env: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.log = name, cwd / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                args, cwd=cwd, env={**os.environ, **(env or {})}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, signum: int) -> None:
        """Send a signal to this process alone."""
        self.process.send_signal(signum)

    def stop(self, *, timeout: float = 20.0) -> int:
        """SIGTERM, then SIGKILL for the whole group; the exit status."""
        if self.running:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        self.kill()
        return self.process.wait()

    def kill(self) -> None:
        """SIGKILL for the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def start_workers(
    module: str,
    *,
    cwd: Path,
    path: Path,
    processes: int = 1,
    threads: int = 4,
    env: Mapping[str, str] | None = None,
    args: tuple[str, ...] = (),
    name: str = "workers",
    program: tuple[str, ...] = ("-m", "dramatiq"),
    python: str = sys.executable,
) -> Program:
    """``dramatiq --processes P --threads T --path <path> <module> ...`` with this interpreter, or ``python``.

    ``env`` extends the environment; pass the Redis URL in it, as the test applications read ``REDIS_URL``.
    """
    command = [python, *program, "--processes", str(processes), "--threads", str(threads)]
    # "--path" and "--queues" take any number of values: the module comes first.
    command += [module, "--path", str(path), *args]
    python_path = os.pathsep.join(filter(None, [str(path), os.environ.get("PYTHONPATH", "")]))
    return Program(command, cwd=cwd, name=name, env={"PYTHONPATH": python_path, **(env or {})})


#: Makes standard input the controlling terminal of a new session, then executes the program.
_LOGIN = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program on a terminal of 100 columns and 40 rows; ``output`` is all that it has written."""

    def __init__(self, args: Sequence[str], *, env: Mapping[str, str]) -> None:
        self.output = b""
        self._master, slave = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LOGIN, *args], stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, "COLUMNS": "100", "LINES": "40", **env},
        )  # fmt: skip
        os.close(slave)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def wait_for(self, pattern: bytes, *, timeout: float = 60.0) -> None:
        """Read until ``pattern`` is found; AssertionError with the output after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.output):
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"not within {timeout} s: {pattern!r} in {self.output.decode()}"
            self.output += os.read(self._master, 65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


def marked(mark: str) -> list[str]:
    """Command lines of the running processes that were started with ``mark`` as LEFTOVER_MARK.

    Children inherit the variable, whatever their group, session or parent is.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile; a zombie counts as ended
            if process.environ().get("LEFTOVER_MARK") == mark:
                found.append(" ".join(process.cmdline()))
    return found


@dataclass(frozen=True)
class Certificate:
    """Paths of a certificate and its key; the certificate is its own authority."""

    certificate: Path
    key: Path


def self_signed(folder: Path) -> Certificate:
    """A certificate for localhost and 127.0.0.1, made by openssl, valid for a day."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [require("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return made
