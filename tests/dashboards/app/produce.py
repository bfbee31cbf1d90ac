"""Enqueue for the reference workers: a backlog of research, then chat jobs of every outcome until stopped."""

from __future__ import annotations

import os
import signal
import threading

from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics
from bioagents_worker.reference.actors import declare


def main() -> None:
    """Ten chat jobs a second: most succeed, some are retried, some are dead at once."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
    broker.add_middleware(JobMetrics())
    actors = declare(broker, speed=10)
    for _ in range(150):
        actors.research.send(seconds=60)
    while not stopped.wait(0.5):
        for _ in range(3):
            actors.answer.send(seconds=1)
        actors.answer.send(seconds=1, failure="ModelOverloaded", failing_attempts=1)
        actors.answer.send(seconds=1, failure="ContextTooLong", failing_attempts=9)


if __name__ == "__main__":
    main()
