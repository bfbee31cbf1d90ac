"""Wait for a condition with a deadline, never for a fixed time."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_FIRST_EPHEMERAL: Final = 32_768
#: Not the module's own generator: Hypothesis seeds that one, in every process alike.
_RANDOM: Final = random.SystemRandom()


def wait_until(check: Callable[[], T], *, timeout: float = 30.0, interval: float = 0.05, what: str = "") -> T:
    """Return the first true value of ``check``; AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or check}; last value: {value!r}")
        time.sleep(interval)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago.

    It is below the ports that Linux gives to outgoing connections, which could take it before the caller
    does, and random, because several test processes look for one at the same time. A node of Redis Cluster
    also opens the port 10,000 above.
    """
    while True:
        port = _RANDOM.randrange(10_000, _FIRST_EPHEMERAL)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
