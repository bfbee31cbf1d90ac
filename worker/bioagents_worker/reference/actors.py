"""The actors of the reference fleet, declared on whatever broker is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from dramatiq import Actor, Broker, actor
from dramatiq.middleware import CurrentMessage

from bioagents_worker.reference.work import ContextTooLong, Work, perform

CHAT: Final = "chat"
DEEP_RESEARCH: Final = "deep-research"
QUEUES: Final = (CHAT, DEEP_RESEARCH)

#: Longest job of deep-research: eight hours, in seconds.
LONGEST_JOB: Final = 8 * 3600

# Dramatiq's own limit is 10 minutes; it has to lie above the longest job. Milliseconds.
_CHAT_TIME_LIMIT: Final = 5 * 60 * 1000
_RESEARCH_TIME_LIMIT: Final = (LONGEST_JOB + 3600) * 1000


@dataclass(frozen=True, slots=True)
class Actors:
    """The declared actors; their arguments are the fields of :class:`Work`."""

    answer: Actor[..., None]  # a chat message: seconds
    follow_up: Actor[..., None]  # comes back to a chat later: sent with a delay
    research: Actor[..., None]  # minutes to eight hours
    write_report: Actor[..., None]  # the stage behind a research, sent with pipe_ignore


def declare(broker: Broker, *, speed: float = 1.0) -> Actors:
    """Declare the four actors on ``broker``; simulated seconds pass ``speed`` times faster than real ones.

    The broker needs Dramatiq's ``CurrentMessage`` where jobs are to run: a job asks it which attempt it is.
    """

    def job(**work: Any) -> None:  # noqa: ANN401 - what came as JSON; Work knows the names
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


def _attempt() -> int:
    """Which attempt of its job runs in this thread; the first is 0."""
    message = CurrentMessage.get_current_message()
    return int(message.options.get("retries", 0)) if message else 0


def _scaled(seconds: float, speed: float) -> int:
    """Milliseconds of real time for ``seconds`` of simulated time, at least 1."""
    return max(1, round(seconds * 1000 / speed))
