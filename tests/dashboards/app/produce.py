"""Enqueue for the fleet of the boards until stopped, then leave a backlog that stays as it is."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from typing import Any

from actors import FOR_EVER, SPEED, actors_of
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics

HOUR_MS = 3_600_000


def main() -> None:
    """Jobs of every outcome: success, retry, dead at once or in the end, skipped, delayed, without end."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
    broker.add_middleware(JobMetrics())
    reference, more = actors_of(broker)
    for _ in range(16):
        more.report.send(FOR_EVER)
    more.archive.send(FOR_EVER)
    more.archive.send_with_options(args=(FOR_EVER,), delay=1000)  # no worker will ever move it
    reference.follow_up.send_with_options(kwargs={"seconds": 1}, delay=HOUR_MS)
    # Long jobs are usual here, so that those which never end do not count as hanging at rest. That rule looks
    # back for half a scrape in this fleet: one exporter would have an answer now and then, three always. What
    # is usual is read every 2.5 seconds: three jobs end one after the other, so that none goes unseen.
    for seconds in (20, 22, 24):
        reference.research.send(seconds=seconds * SPEED)
    for _ in range(int(sys.argv[1])):
        reference.research.send(seconds=10)
    for round_ in itertools.count():
        if stopped.wait(0.5):
            break
        _chat(broker, reference, round_)
        more.postpone.send()
        if round_ % 2 == 0:
            _research(broker, reference)
    for _ in range(3 * int(sys.argv[1])):  # more than was done, so that the backlog never shrinks
        reference.research.send(seconds=FOR_EVER * SPEED)


def _chat(broker: Any, reference: Any, round_: int) -> None:  # noqa: ANN401 - as declared
    for _ in range(3):
        reference.answer.send(seconds=2)
    for failure in ("ModelOverloaded", "ToolTimeout"):
        reference.answer.send(seconds=1, failure=failure, failing_attempts=1)
    reference.follow_up.send(seconds=1, failure="ContextTooLong", failing_attempts=9)
    reference.follow_up.send_with_options(kwargs={"seconds": 1}, delay=1000)
    broker.enqueue(reference.answer.message(seconds=1).copy(options={"skip": True}))
    if round_ % 4 == 0:  # dead after all its retries
        reference.answer.send(seconds=1, failure="SourceUnavailable", failing_attempts=9)


def _research(broker: Any, reference: Any) -> None:  # noqa: ANN401 - as above
    """Less than four threads can do, so that a backlog shrinks; one actor works in a second queue, too."""
    reference.research.send(seconds=10)
    broker.enqueue(reference.write_report.message(seconds=5))
    broker.enqueue(reference.answer.message(seconds=1).copy(queue_name="deep-research"))


if __name__ == "__main__":
    main()
