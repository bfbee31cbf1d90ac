"""The producer: a process that only enqueues jobs, as an API server does.

``python -m bioagents_demo.producer <start>``: ``start`` is the monotonic time at which the scenario started.
The address of Redis comes from the environment, as for the reference workers.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict
from random import Random
from typing import Final

from dramatiq import pipeline
from dramatiq.brokers.redis import RedisBroker

from bioagents_demo.reference.actors import Actors, declare
from bioagents_demo.reference.environment import Environment
from bioagents_demo.scenario import CHAT_SPEED, Order, orders, phase_at, phase_number
from bioagents_worker import JobMetrics

_STEP: Final = 0.25  # seconds
_SEED: Final = 20261124


def main(argv: list[str]) -> int:
    """Send jobs until killed."""
    start = float(argv[0])
    environment = Environment.read(os.environ)
    broker = RedisBroker(url=environment.redis_url, namespace=environment.namespace)  # type: ignore[no-untyped-call]
    broker.add_middleware(JobMetrics())
    actors = declare(broker)
    random, number = Random(_SEED), -1  # noqa: S311 - a load, not a secret
    while True:
        elapsed = time.monotonic() - start
        starts, number = phase_number(elapsed) != number, phase_number(elapsed)
        for order in orders(random, phase_at(elapsed), _STEP, starts=starts):
            send(actors, order)
        time.sleep(max(0.0, start + elapsed + _STEP - time.monotonic()))


def send(actors: Actors, order: Order) -> None:
    """Enqueue one job, in a pipeline with its report if the order has one."""
    actor = getattr(actors, order.actor)
    message = actor.message(**asdict(order.work))
    if order.report:
        # Simulated work has no result that the next stage could take.
        report = actors.write_report.message_with_options(kwargs=asdict(order.report), pipe_ignore=True)
        # Without a broker it would use Dramatiq's global one.
        pipeline([message, report], broker=actor.broker).run()  # type: ignore[no-untyped-call]
    else:
        actor.broker.enqueue(message, delay=round(order.delay * 1000 / CHAT_SPEED) or None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
