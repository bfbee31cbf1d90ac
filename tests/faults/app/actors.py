"""The actors of the fleets: workers run them, the tests enqueue them.

Files in the folder ``FAULTS`` of the workers' environment are switches: a fault is on while its file exists.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dramatiq

#: Memory that ``leak`` never frees.
_KEPT: list[bytearray] = []


def on(switch: str) -> bool:
    """Whether this fault is on."""
    return (Path(os.environ["FAULTS"]) / switch).exists()


def answer(seconds: float = 0.0) -> None:
    """Take a while; raise one of two exceptions while ``model-broken`` is on."""
    if on("model-broken"):
        raise (ValueError if time.time_ns() % 2 else KeyError)("the model is broken")
    time.sleep(seconds)


def research() -> None:
    """Hang while ``gate-closed`` is on; write down in which process."""
    running = Path(os.environ["FAULTS"], f"running.{threading.get_ident()}")
    running.write_text(str(os.getpid()))
    running.replace(running.with_name("running"))
    while on("gate-closed"):
        time.sleep(0.05)


def postpone() -> None:
    """Ask for a retry while ``model-busy`` is on."""
    if on("model-busy"):
        raise dramatiq.errors.Retry("the model is busy", delay=50)


def stumble(once: str) -> None:
    """Fail at the first attempt."""
    mark = Path(os.environ["FAULTS"], f"stumbled-{once}")
    if not mark.exists():
        mark.touch()
        raise TimeoutError(once)


def reject() -> None:
    """Become a dead letter."""
    raise LookupError("no such conversation")


def poison() -> None:
    """Kill the worker after a while, as a job that needs too much memory."""
    if on("poison"):
        time.sleep(6)
        os.kill(os.getpid(), signal.SIGKILL)


def leak(megabytes: int) -> None:
    """Allocate memory and keep it."""
    _KEPT.append(bytearray(os.urandom(1 << 20)) * megabytes)


def report() -> None:
    """Work for a queue of its own."""


def declare(broker: Any) -> None:  # noqa: ANN401 - RedisBroker is untyped
    """The actors of two queues at this broker."""
    slowly = {"max_retries": 20, "min_backoff": 5000, "max_backoff": 8000}
    at_once = {"max_retries": 10_000, "min_backoff": 50, "max_backoff": 100}
    never: dict[str, Any] = {"max_retries": 0}
    options: dict[Callable[..., None], dict[str, Any]] = {
        answer: slowly, stumble: slowly, postpone: at_once, poison: never, leak: never, reject: never,
    }  # fmt: skip
    for function, retries in options.items():
        dramatiq.actor(broker=broker, queue_name="chat", **retries)(function)
    # Dramatiq's limit of ten minutes would end a job that hangs before the alerts fire at full duration.
    dramatiq.actor(broker=broker, queue_name="deep-research", time_limit=8 * 3_600_000, **never)(research)


def declare_reports(broker: Any) -> None:  # noqa: ANN401 - as above
    """The actor of a third queue."""
    dramatiq.actor(broker=broker, queue_name="reports", max_retries=0)(report)
