"""The application of the worker rows: two queues of jobs that do nothing, with one kind of metrics.

Environment: REDIS_URL, BENCH_METRICS (none, ours or dramatiq), BENCH_RECORD (a file for the end of each job).
"""

from __future__ import annotations

import os
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url=os.environ["REDIS_URL"])
match os.environ["BENCH_METRICS"]:
    case "ours":
        from bioagents_worker import JobMetrics

        broker.add_middleware(JobMetrics())
    case "dramatiq":
        from dramatiq.middleware.prometheus import Prometheus

        broker.add_middleware(Prometheus())
dramatiq.set_broker(broker)

record = os.environ.get("BENCH_RECORD")
ends = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if record else None


@dramatiq.actor(queue_name="queue-0000")
def nothing() -> None:
    """Do nothing."""


@dramatiq.actor(queue_name="queue-0001")
def recorded() -> None:
    """Record the time at the end of the job, from a clock that all processes of this host share."""
    if ends is not None:
        os.write(ends, b"%d\n" % time.monotonic_ns())
