"""An application with two faults that a test switches on and off, and its producer.

``dramatiq alerts_app`` runs the workers; ``python alerts_app.py flood N`` enqueues N jobs at once, and
``python alerts_app.py traffic`` ten a second until it is stopped. A fault is on while its file exists in the
folder ``FAULTS``.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics

FAULTS = Path(os.environ["FAULTS"])

broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
broker.add_middleware(JobMetrics(version="1.0"))
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="deep-research", max_retries=0)
def research() -> None:
    """Run until the fault ``gate-closed`` is switched off."""
    while (FAULTS / "gate-closed").exists():
        time.sleep(0.02)


@dramatiq.actor(queue_name="chat", max_retries=0)
def answer(question: int) -> None:
    """Raise one of two exceptions while the fault ``model-broken`` is on."""
    if (FAULTS / "model-broken").exists():
        raise (ValueError if question % 2 else KeyError)(question)


def traffic() -> None:
    """Enqueue ten jobs a second until SIGTERM."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    for question in itertools.count():
        answer.send(question)
        if stopped.wait(0.1):
            return


if __name__ == "__main__":
    if sys.argv[1] == "flood":
        for _ in range(int(sys.argv[2])):
            research.send()
    else:
        traffic()
