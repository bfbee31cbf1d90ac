"""Memory of an exporter of a small fleet after some scrapes."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from harness import targets
from harness.bench import Bench
from harness.result import Result
from harness.simulated_fleet import Shape, seed
from harness.spread import Spread, ratio

SCRAPES = 200
REACH = 60.0  # MiB of resident memory
MIB = 1 << 20
SHAPE = Shape(queues=2, workers=4)


def measure(bench: Bench) -> list[Result]:
    """New processes in each repetition."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(bench.effort.repetitions):
        with Bench(bench.effort) as repetition:
            for name, value in _once(repetition).items():
                found.setdefault(name, []).append(value)
    rss = {name: [value[0] for value in values] for name, values in found.items()}
    uss = {name: [value[1] for value in values] for name, values in found.items()}
    median = Spread.of(rss["ours"]).median
    peers = [name for name in found if name != "ours"]
    return [
        Result(
            "memory",
            "RSS, 2 queues, 4 workers",
            _mib(rss["ours"]),
            "",
            None,
            f"≤ {REACH:g} MiB",
            median <= REACH,
        ),
        *(_line("RSS", rss, peer) for peer in peers),
        *(_line("USS", uss, peer) for peer in peers),
    ]


def _line(figure: str, values: dict[str, list[float]], peer: str) -> Result:
    return Result(
        "memory", f"{figure}, 2 queues, 4 workers", _mib(values["ours"]), f"{peer} {_mib(values[peer])}",
        ratio(values["ours"], values[peer]),
    )  # fmt: skip


def _mib(values: list[float]) -> str:
    return Spread.of(values).text("MiB")


def _once(bench: Bench) -> dict[str, tuple[float, float]]:
    """RSS and USS of each in MiB; celery-exporter without workers, which is its minimum."""
    server = bench.redis()
    fleet = seed(server.port, SHAPE)
    scrapes = bench.effort.of(SCRAPES)
    running = {
        "ours": (targets.ours(bench, server), scrapes),
        "empty aiohttp": (targets.empty_aiohttp(bench), scrapes),
        "rq-exporter": (targets.rq_exporter(bench, bench.redis("rq"), SHAPE.queues, SHAPE.workers), scrapes),
        "celery-exporter": (targets.celery_exporter(bench, bench.redis("celery")), 2),
    }
    return {name: _memory(bench, target, count, fleet.beat) for name, (target, count) in running.items()}


def _memory(
    bench: Bench, target: targets.Target, scrapes: int, before: Callable[[], object]
) -> tuple[float, float]:  # fmt: skip
    scraper = bench.keep(target.scraper(gzip=True))
    for _ in range(scrapes):
        before()
        scraper.get()
    memory = psutil.Process(target.pid).memory_full_info()
    return memory.rss / MIB, memory.uss / MIB
