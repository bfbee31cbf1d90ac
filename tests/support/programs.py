"""Start and stop the programs under test; each writes its output to a file of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def require(program: str) -> str:
    """The path of an installed program; a missing one fails the test, it never skips it."""
    path = shutil.which(program)
    assert path, f"{program} is not installed: run `make deps`"
    return path


class Program:
    """One child process, in a process group of its own so that its children end with it."""

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
