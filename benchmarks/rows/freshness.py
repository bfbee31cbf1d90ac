"""From the end of a job to its visibility: a real worker writes down the end, a scraper sees the count."""

from __future__ import annotations

import re
import time
from pathlib import Path

from harness import targets
from harness.bench import Bench
from harness.fleet import Shape, SimulatedFleet, seed
from harness.jobs import enqueue
from harness.raw_redis import RawRedis
from harness.result import Result
from harness.scraping import Scraper
from harness.spread import Spread

JOBS = 60
FLEETS = (1, 100)  # workers; all but the real one are simulated
REACH = 0.2  # seconds
DONE = re.compile(rb'bioagents_jobs_succeeded_total\{[^}]*actor="recorded"\} (\d+)')


def measure(bench: Bench) -> list[Result]:
    """The interval between two calls of a worker depends on the size of the fleet that Redis knows."""
    return [_fleet(bench, workers) for workers in FLEETS]


def _fleet(bench: Bench, workers: int) -> Result:
    with Bench(bench.effort) as own:
        server = own.redis()
        fleet = seed(server.port, Shape(queues=2, workers=workers, waiting=0)) if workers > 1 else None
        record = own.folder / "ends.txt"
        targets.dramatiq_workers(own, server, "ours", env={"BENCH_RECORD": str(record)}, threads=2)
        scraper = own.keep(targets.ours(own, server).scraper())
        redis = own.keep(RawRedis(server.port))
        delays = [
            _delay(redis, scraper, record, number, fleet)
            for number in range(1, max(own.effort.of(JOBS), 10) + 1)
        ]
    spread = Spread.of(delays)
    figure = f"end of a job to its visibility, {workers} worker{'s' * (workers > 1)}"
    return Result(
        "freshness", figure, f"{spread.range_text()} s", "", None, f"≤ {REACH} s", spread.median <= REACH
    )


def _delay(
    redis: RawRedis, scraper: Scraper, record: Path, number: int, fleet: SimulatedFleet | None
) -> float:  # fmt: skip
    """Seconds for the ``number``-th job; the scraper asks without a pause, so its own time is in it."""
    if fleet is not None:
        fleet.beat()
    redis.call_all(enqueue("queue-0001", "recorded", 1))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = DONE.search(scraper.get())
        seen = time.monotonic_ns()
        if found and int(found[1]) >= number:
            ended = int(record.read_text().split()[number - 1])
            return (seen - ended) / 1e9
    raise AssertionError(f"job {number} never showed")
