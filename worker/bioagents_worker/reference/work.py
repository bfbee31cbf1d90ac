"""Simulated work: it takes time, holds memory, and fails when it is told to.

Exception
├── ModelOverloaded       the model answers "later"; a retry helps
├── SourceUnavailable     a library or database is away; a retry helps
├── ToolTimeout           a tool did not answer in time; a retry helps
└── ContextTooLong        no retry helps: the actors list it in ``throws``, it is dead-lettered at once
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

#: A sleeping thread notices Dramatiq's time limit between two slices only; seconds.
SLICE: Final = 0.5
MEBIBYTE: Final = 1024 * 1024


class ModelOverloaded(Exception):  # noqa: N818 - an exception label that people read; no "Error" in it
    """The (imagined) model has no capacity now."""


class SourceUnavailable(Exception):  # noqa: N818 - as above
    """An (imagined) library or database is away."""


class ToolTimeout(Exception):  # noqa: N818 - as above
    """An (imagined) tool did not answer in time."""


class ContextTooLong(Exception):  # noqa: N818 - as above
    """The (imagined) question is too long for the model; no retry makes it shorter."""


#: What a message may ask for in :attr:`Work.failure`.
FAILURES: Final[dict[str, type[Exception]]] = {
    kind.__name__: kind for kind in (ModelOverloaded, SourceUnavailable, ToolTimeout, ContextTooLong)
}


@dataclass(frozen=True, slots=True)
class Work:
    """What one job does; these fields are the arguments of its message."""

    seconds: float  # simulated duration of an attempt that succeeds
    memory: int = 0  # mebibytes held meanwhile
    failure: str = ""  # name of a class of FAILURES
    failing_attempts: int = 0  # that many attempts fail, at half their duration; the next one succeeds


def perform(work: Work, *, attempt: int, speed: float) -> None:
    """Do the work of one attempt (the first is 0) with simulated time ``speed`` times faster than real time.

    Raises the exception that ``work`` names, or ValueError when there is none of that name.
    """
    fails = attempt < work.failing_attempts
    if fails and work.failure not in FAILURES:
        raise ValueError(f"unknown failure {work.failure!r}, expected one of {', '.join(FAILURES)}")
    # Written, not only reserved: the pages have to be resident.
    ballast = b"\x01" * (work.memory * MEBIBYTE)
    _pass_time(work.seconds / speed / (2 if fails else 1))
    del ballast
    if fails:
        raise FAILURES[work.failure](f"simulated, attempt {attempt + 1} of {work.failing_attempts} that fail")


def _pass_time(seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SLICE))
