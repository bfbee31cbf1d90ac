"""A program on a terminal of its own, as a person has it: what it draws, and what is typed."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

#: Makes standard input the controlling terminal of a new session, then becomes the program.
_LOGIN = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """100 columns and 40 rows; ``output`` is all that was drawn."""

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
        """Read until ``pattern`` is found; AssertionError with what was drawn after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.output):
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"not within {timeout} s: {pattern!r} in {self.output.decode()}"
            self.output += os.read(self._master, 65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
