"""An ordinary day of a fleet: nothing happens that a person must act on.

At the smallest factor: a restart takes two seconds, as in life, so that minutes must not become two seconds.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from faults.fleet import Options, SentinelFleet
from faults.monitor import Monitor, Receipt
from faults.stage import SLOW
from support.polling import wait_until

NAME = "an-ordinary-day"
#: Seconds of quiet at the end; ten minutes of the rules.
AFTERWARDS = 600 / SLOW


def ordinary_day(monitor: Monitor, folder: Path) -> list[Receipt]:
    """Bursts, a rolling restart, a restart of the exporter, a failover; what the webhook was told."""
    with ExitStack() as cleanup:
        fleet = SentinelFleet(folder / NAME, Options(workers=2, redis={"appendonly": "yes"}), SLOW, cleanup)
        monitor.watch(NAME, [f"127.0.0.1:{fleet.exporters[0].port}"])
        with fleet.producer.traffic("answer", per_second=5):
            for _ in range(3):
                fleet.producer.send("answer", 0.02, times=200)
                time.sleep(5)
            for worker in tuple(fleet.workers):
                fleet.replace_worker(worker)
            fleet.exporters[0].stop()
            fleet.start_exporter(listen=f"127.0.0.1:{fleet.exporters[0].port}")
            time.sleep(10)
        # Jobs that are on their way when Redis dies may stay with a worker that knows nothing of them, which
        # is a fault of its own: JobsStuck. So nothing is on its way.
        time.sleep(2)
        fleet.fail_over()
        seen = fleet.beats()
        wait_until(lambda: len(seen & fleet.beats()) >= 2, timeout=60, what="heartbeats at the new primary")
        with fleet.producer.traffic("answer", per_second=5):
            time.sleep(AFTERWARDS)
        receipts = monitor.receipts(NAME)
        monitor.forget(NAME)
    return receipts
