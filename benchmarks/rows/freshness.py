"""The time from the end of a job to its visibility: a worker records the end, a scraper sees the count.

Jobs come one at a time and at random moments: a job that follows the sight of the one before would always
end just after its worker's call.
"""

from __future__ import annotations

import random
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import targets
from harness.bench import Bench, Effort
from harness.jobs import enqueue
from harness.peers import python_of
from harness.raw_redis import RawRedis
from harness.result import Result
from harness.scraping import Scraper
from harness.simulated_fleet import Shape, seed
from harness.spread import Spread, ratio

JOBS = 40  # in one repetition, of each fleet
PAUSE = 0.3  # seconds at most between two scrapes of the same job and the next job
FLEETS = ((2, 0), (10, 0), (4, 96))  # real workers and simulated ones
REACH = 0.2  # seconds
TIMEOUT = 60.0  # seconds
OURS = re.compile(rb'^bioagents_jobs_succeeded_total\{[^}]*actor="recorded"[^}]*\} (\d+)', re.MULTILINE)
CELERY = re.compile(rb'^celery_task_succeeded_total\{[^}]*name="recorded"[^}]*\} (\d+)', re.MULTILINE)


@dataclass(slots=True)
class MeasuredFleet:
    """Workers, the producer of their jobs, and the exporters."""

    record: Path
    scraper: Scraper
    pattern: re.Pattern[bytes]
    send: Callable[[], object]
    others: Callable[[], object]  # the simulated workers' next heartbeats
    sent: int = 0

    def delay(self) -> float:
        """The delay of one job in seconds; it includes a scrape, as the scraper scrapes without a pause."""
        time.sleep(random.uniform(0, PAUSE))  # noqa: S311 (a moment, no secret)
        self.others()
        self.send()
        self.sent += 1
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            seen = sum(map(int, self.pattern.findall(self.scraper.get())))
            now = time.monotonic_ns()
            if seen >= self.sent:
                return (now - int(self.record.read_text().split()[-1])) / 1e9
        raise AssertionError(f"job {self.sent} was not seen within {TIMEOUT} s")


def measure(bench: Bench) -> list[Result]:
    """Ours in three sizes; the interval between two calls of a worker depends on the size of the fleet."""
    return [_against_celery(bench.effort, real, simulated) for real, simulated in FLEETS]


def _against_celery(effort: Effort, real: int, simulated: int) -> Result:
    with Bench(effort) as bench:
        ours, celery = _ours(bench, real, simulated), _celery(bench)
        values: dict[str, list[float]] = {"ours": [], "celery-exporter": []}
        for _ in range(effort.repetitions):
            values["ours"].append(Spread.of([ours.delay() for _ in range(effort.of(JOBS))]).median)
            values["celery-exporter"].append(Spread.of([celery.delay() for _ in range(3)]).median)
    spread = Spread.of(values["ours"])
    workers = f"{real} workers" + (f" and {simulated} simulated" if simulated else "")
    return Result(
        "freshness", f"end of a job to its visibility, {workers}", f"{spread.range_text()} s",
        f"celery-exporter {Spread.of(values['celery-exporter']).text('s')}, 4 workers",
        ratio(values["ours"], values["celery-exporter"]), f"≤ {REACH} s", spread.median <= REACH,
    )  # fmt: skip


def _ours(bench: Bench, real: int, simulated: int) -> MeasuredFleet:
    server = bench.redis()
    others = seed(server.port, Shape(queues=2, workers=simulated, waiting=0, jobs=1)) if simulated else None
    record = bench.folder / "ends.txt"
    targets.dramatiq_workers(
        bench, server, "ours", processes=real, threads=2, env={"BENCH_RECORD": str(record)}
    )
    redis = bench.keep(RawRedis(server.port))
    return MeasuredFleet(
        record, bench.keep(targets.ours(bench, server).scraper()), OURS,
        lambda: redis.call_all(enqueue("queue-0001", "recorded", 1)), others.beat if others else lambda: None,
    )  # fmt: skip


def _celery(bench: Bench) -> MeasuredFleet:
    server = bench.redis("celery")
    record = bench.folder / "celery-ends.txt"
    target = targets.celery_exporter(bench, server)
    targets.celery_workers(bench, server, 4, {"BENCH_RECORD": str(record)})
    scraper = bench.keep(target.scraper())
    scraper.wait(b'celery_active_worker_count{queue_name="queue-0001"} 4', timeout=120)
    sender = bench.keep(_Sender(bench, server.url))
    return MeasuredFleet(record, scraper, CELERY, sender.send, lambda: None)


class _Sender:
    """``programs/celery_send.py``: sends a task for each line."""

    def __init__(self, bench: Bench, url: str) -> None:
        self._process = subprocess.Popen(
            [str(python_of("celery")), str(targets.PROGRAMS / "celery_send.py")], text=True, cwd=bench.folder,
            env={"REDIS_URL": url, "PYTHONPATH": str(targets.PROGRAMS)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def send(self) -> None:
        print("queue-0001", file=self._process.stdin, flush=True)
        if not (self._process.stdout and self._process.stdout.readline()):
            raise RuntimeError("Celery's sender ended")

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()
