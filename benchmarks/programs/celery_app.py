"""The same application for Celery (run by its environment); see dramatiq_app.py."""

from __future__ import annotations

import os
import time

from celery import Celery  # not in our environment

app = Celery("bench", broker=os.environ["REDIS_URL"])
app.conf.task_ignore_result = True
app.conf.task_send_sent_event = True
app.conf.broker_connection_retry_on_startup = True

record = os.environ.get("BENCH_RECORD")
ends = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if record else None


@app.task(name="recorded")
def recorded() -> None:
    """Record the time at the end of the job."""
    if ends is not None:
        os.write(ends, b"%d\n" % time.monotonic_ns())
