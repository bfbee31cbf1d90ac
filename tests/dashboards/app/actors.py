"""The reference actors and more: what a fleet may do that the reference fleet does not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from dramatiq import Actor, actor
from dramatiq.errors import Retry
from dramatiq.middleware import Middleware, SkipMessage

from bioagents_demo.reference.actors import Actors, declare

#: Simulated seconds of the reference actors for each real one.
SPEED = 10
#: What the queue of reports runs: longer than any test.
FOR_EVER = 3600.0


class Skip(Middleware):
    """Skips the jobs that ask for it."""

    def before_process_message(self, broker: Any, message: Any) -> None:  # noqa: ANN401, ARG002 - Dramatiq's signature
        """Before any attempt."""
        if message.options.get("skip"):
            raise SkipMessage("as requested")


def _wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.2)


def _postpone() -> None:
    raise Retry("later", delay=200)


@dataclass(frozen=True, slots=True)
class More:
    """The actors that the reference fleet does not have."""

    report: Actor[..., None]  # the only one of its queue
    archive: Actor[..., None]  # of a queue that no worker serves
    postpone: Actor[..., None]  # asks to be tried again, until it is dead


def actors_of(broker: Any) -> tuple[Actors, More]:  # noqa: ANN401 - untyped
    """All actors."""
    broker.add_middleware(Skip())
    more = More(
        report=actor(broker=broker, queue_name="reports", actor_name="report", max_retries=0)(_wait),
        archive=actor(broker=broker, queue_name="archive", actor_name="archive", max_retries=0)(_wait),
        postpone=actor(broker=broker, queue_name="chat", actor_name="postpone", max_retries=2)(_postpone),
    )
    return declare(broker, speed=SPEED), more
