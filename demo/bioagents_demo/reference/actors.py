"""The actors of the reference fleet, and the simulated work that their jobs do.

Exception
├── ModelOverloaded       the model has no capacity; a retry helps
├── SourceUnavailable     a library or database does not answer; a retry helps
├── ToolTimeout           a tool did not answer in time; a retry helps
└── ContextTooLong        no retry helps: the actors list it in ``throws``, the job is dead-lettered at once
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from dramatiq import Actor, Broker, actor
from dramatiq.middleware import CurrentMessage

CHAT: Final = "chat"
DEEP_RESEARCH: Final = "deep-research"
QUEUES: Final = (CHAT, DEEP_RESEARCH)

#: The longest job of deep-research: eight hours, in seconds.
LONGEST_JOB: Final = 8 * 3600

# Dramatiq's default limit is 10 minutes; a limit must be above the longest job. Milliseconds.
_CHAT_TIME_LIMIT: Final = 5 * 60 * 1000
_RESEARCH_TIME_LIMIT: Final = (LONGEST_JOB + 3600) * 1000

#: A sleeping thread notices Dramatiq's time limit only between two slices; seconds.
SLICE: Final = 0.5
MEBIBYTE: Final = 1024 * 1024


class ModelOverloaded(Exception):  # noqa: N818 - an exception label that people read; no "Error" in it
    """The simulated model has no capacity."""


class SourceUnavailable(Exception):  # noqa: N818 - as above
    """A simulated library or database does not answer."""


class ToolTimeout(Exception):  # noqa: N818 - as above
    """A simulated tool did not answer in time."""


class ContextTooLong(Exception):  # noqa: N818 - as above
    """The simulated question is too long for the model; no retry makes it shorter."""


#: The values of :attr:`Work.failure`.
FAILURES: Final[dict[str, type[Exception]]] = {
    kind.__name__: kind for kind in (ModelOverloaded, SourceUnavailable, ToolTimeout, ContextTooLong)
}


@dataclass(frozen=True, slots=True)
class Work:
    """What one job does; these fields are the arguments of its message."""

    seconds: float  # simulated duration of an attempt that succeeds
    memory: int = 0  # mebibytes held during the attempt
    failure: str = ""  # name of a class of FAILURES
    failing_attempts: int = 0  # number of attempts that fail, at half their duration; the next one succeeds


@dataclass(frozen=True, slots=True)
class Actors:
    """The declared actors; their arguments are the fields of :class:`Work`."""

    answer: Actor[..., None]  # a chat message: seconds
    follow_up: Actor[..., None]  # a later chat message: sent with a delay
    research: Actor[..., None]  # minutes to eight hours
    write_report: Actor[..., None]  # runs after a research, sent with pipe_ignore


def declare(broker: Broker, *, speed: float = 1.0) -> Actors:
    """Declare the four actors on ``broker``; simulated time passes ``speed`` times faster than real time.

    To run jobs, the broker needs Dramatiq's ``CurrentMessage``, from which a job learns its attempt number.
    """

    def job(**work: Any) -> None:  # noqa: ANN401 - decoded JSON; Work checks the names
        perform(Work(**work), attempt=_attempt(), speed=speed)

    chat: dict[str, Any] = {
        "broker": broker, "queue_name": CHAT, "time_limit": _CHAT_TIME_LIMIT, "throws": ContextTooLong,
        "max_retries": 3, "min_backoff": _scaled(2, speed), "max_backoff": _scaled(60, speed),
    }  # fmt: skip
    deep: dict[str, Any] = {
        "broker": broker, "queue_name": DEEP_RESEARCH, "time_limit": _RESEARCH_TIME_LIMIT,
        "throws": ContextTooLong,
        "max_retries": 2, "min_backoff": _scaled(60, speed), "max_backoff": _scaled(1800, speed),
    }  # fmt: skip
    return Actors(
        answer=actor(actor_name="answer", **chat)(job),
        follow_up=actor(actor_name="follow_up", **chat)(job),
        research=actor(actor_name="research", **deep)(job),
        write_report=actor(actor_name="write_report", **deep)(job),
    )


def perform(work: Work, *, attempt: int, speed: float) -> None:
    """Do the work of one attempt (the first is 0), ``speed`` times faster than in real time.

    Raises the exception that ``work`` names, or ValueError if there is none of that name.
    """
    fails = attempt < work.failing_attempts
    if fails and work.failure not in FAILURES:
        raise ValueError(f"unknown failure {work.failure!r}, expected one of {', '.join(FAILURES)}")
    # Written, not only reserved: the pages must be resident.
    ballast = b"\x01" * (work.memory * MEBIBYTE)
    _pass_time(work.seconds / speed / (2 if fails else 1))
    del ballast
    if fails:
        raise FAILURES[work.failure](f"simulated, attempt {attempt + 1} of {work.failing_attempts} that fail")


def _attempt() -> int:
    """The number of the attempt that runs in this thread; the first is 0."""
    message = CurrentMessage.get_current_message()
    return int(message.options.get("retries", 0)) if message else 0


def _scaled(seconds: float, speed: float) -> int:
    """Milliseconds of real time for ``seconds`` of simulated time, at least 1."""
    return max(1, round(seconds * 1000 / speed))


def _pass_time(seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SLICE))
