"""Scrape p50 of small and medium fleets, compared with other exporters."""

from __future__ import annotations

import functools
from collections.abc import Callable

from harness import targets
from harness.bench import Bench
from harness.jobs import enqueue, wait_done
from harness.raw_redis import RawRedis
from harness.result import Result
from harness.scraping import Scraper, p50
from harness.simulated_fleet import Shape, SimulatedFleet, seed
from harness.spread import Spread, interleave, ratio
from harness.targets import Target

SCRAPES = 100  # in one repetition
SLOW_SCRAPES = 3  # of celery-exporter, which takes two seconds for each
FLOOR_REACH, PEER_REACH = 2.5, 0.25
MS = 1000

Measures = dict[str, Callable[[], float]]


def small(bench: Bench) -> list[Result]:
    """Two queues and four workers of each system."""
    shape = Shape(queues=2, workers=4)
    measures = ours_and_floor(bench, shape)
    measures["rq-exporter"] = _of(
        bench, targets.rq_exporter(bench, bench.redis("rq"), shape.queues, shape.workers)
    )
    measures["Dramatiq"] = _of(bench, _dramatiq(bench, shape.workers))
    measures["celery-exporter"] = _of(bench, _celery(bench, shape.workers), SLOW_SCRAPES)
    values = interleave(bench.effort.repetitions, measures)
    figure = "p50, 2 queues, 4 workers"
    return [
        line("scrape-small", figure, values, "ours", "floor", FLOOR_REACH),
        line("scrape-small", f"{figure}, gzip", values, "ours, gzip", "floor"),
        *(
            line("scrape-small", figure, values, "ours", peer)
            for peer in ("rq-exporter", "Dramatiq", "celery-exporter")
        ),
    ]


def middling(bench: Bench) -> list[Result]:
    """200 queues; rq-exporter once with as many workers as ours, once with four."""
    shape = Shape(queues=200, workers=200)
    measures = ours_and_floor(bench, shape)
    for workers in (shape.workers, 4):
        target = targets.rq_exporter(bench, bench.redis(f"rq-{workers}"), shape.queues, workers)
        measures[f"rq-exporter, {workers} workers"] = _of(bench, target)
    values = interleave(bench.effort.repetitions, measures)
    figure = "p50, 200 queues, 200 workers"
    return [
        line("scrape-200", figure, values, "ours", "rq-exporter, 200 workers", PEER_REACH),
        line("scrape-200", figure, values, "ours", "rq-exporter, 4 workers", PEER_REACH),
        line("scrape-200", f"{figure}, gzip", values, "ours, gzip", "rq-exporter, 200 workers"),
        line("scrape-200", figure, values, "ours", "floor"),
    ]


def ours_and_floor(bench: Bench, shape: Shape) -> Measures:
    """Both read the same Redis, whose fleet changes before each scrape."""
    redis = bench.redis()
    fleet = seed(redis.port, shape)
    target = targets.ours(bench, redis)
    size = len(bench.keep(target.scraper()).get())
    measure = functools.partial(_of, bench, scrapes=SCRAPES, fleet=fleet)
    return {
        "ours": measure(target),
        "ours, gzip": measure(target, gzip=True),
        "floor": measure(targets.floor(bench, redis, shape.queues, size)),
    }


def line(
    row: str, figure: str, values: dict[str, list[float]], ours: str, against: str, reach: float | None = None
) -> Result:  # fmt: skip
    """One line of the table, from the values of both."""
    found = ratio(values[ours], values[against])
    return Result(
        row, figure, Spread.of([value * MS for value in values[ours]]).text("ms"),
        f"{against} {Spread.of([value * MS for value in values[against]]).text('ms')}", found,
        f"≤ {reach:g}" if reach else "", found.median <= reach if reach else None,
    )  # fmt: skip


def _of(
    bench: Bench, target: Target, scrapes: int = SCRAPES, fleet: SimulatedFleet | None = None, *, gzip: bool = False
) -> Callable[[], float]:  # fmt: skip
    scraper: Scraper = bench.keep(target.scraper(gzip=gzip))
    count = max(3, bench.effort.of(scrapes))
    return functools.partial(p50, scraper, count, fleet.beat if fleet else None)


def _dramatiq(bench: Bench, processes: int) -> Target:
    """Workers that have run jobs of both actors, so that all series exist."""
    server = bench.redis("dramatiq")
    target = targets.dramatiq_exposition(bench, server, processes)
    redis = bench.keep(RawRedis(server.port))
    for queue, actor in (("queue-0000", "nothing"), ("queue-0001", "recorded")):
        redis.call_all(enqueue(queue, actor, 100))
        wait_done(redis, queue)
    bench.keep(target.scraper()).wait(b'actor_name="recorded"')
    return target


def _celery(bench: Bench, workers: int) -> Target:
    redis = bench.redis("celery")
    target = targets.celery_exporter(bench, redis)
    targets.celery_workers(bench, redis, workers)
    text = b'celery_active_worker_count{queue_name="queue-0001"} %d' % workers
    bench.keep(target.scraper()).wait(text, timeout=120)
    return target
