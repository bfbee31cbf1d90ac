"""A small application: jobs that wait for a gate, and an actor that fails while it is broken.

Files in the folder ``FAULTS`` are the switches, so that a test breaks and mends a running fleet.
"""

from __future__ import annotations

import os
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
    """Work until the gate is opened."""
    while (FAULTS / "gate-closed").exists():
        time.sleep(0.02)


@dramatiq.actor(queue_name="chat", max_retries=0)
def answer(question: int) -> None:
    """Fail in one of two ways while the model behind it is broken."""
    if (FAULTS / "model-broken").exists():
        raise (ValueError if question % 2 else KeyError)(question)
