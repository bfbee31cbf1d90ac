"""1,000 queues and 10,000 workers, simulated in the wire format; there is no peer to compare with."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import redis as redis_py

from harness import targets
from harness.bench import Bench
from harness.proxy import CountingProxy
from harness.result import Result
from harness.scraping import Scraper
from harness.simulated_fleet import Shape, SimulatedFleet, seed
from harness.spread import Spread, interleave, plain

SHAPE = Shape(queues=1_000, workers=10_000, waiting=3)
SCRAPES = 3  # in one repetition; before each, all ten thousand workers send a heartbeat
P50_REACH, TRIPS_REACH, BLOCK_REACH = 300.0, 3, 20.0  # ms, round trips, ms
BACKGROUND = 30.0  # seconds in which the background reads are watched as well
SLOW_US = 500  # threshold of the server's slow log


def measure(bench: Bench) -> list[Result]:
    """p50, round trips, and the slowest command, background reads included."""
    shape = Shape(100, 1_000) if bench.effort.quick else SHAPE
    server = bench.redis()
    fleet = seed(server.port, shape)
    direct = targets.ours(bench, server)
    p50s, size = _p50s(bench, fleet, direct)
    with server.client() as client:
        commands, trips = _commands(bench, server.port, fleet, direct, client)
    where = f"{shape.queues:,} queues, {shape.workers:,} workers"
    slowest = max(commands, key=lambda one: one.ms)
    return [
        _time(f"p50, {where}", p50s["identity"], size),
        _time(f"p50, {where}, gzip", p50s["gzip"], size),
        Result("scrape-10000", f"round trips of a scrape, {where}", str(trips), "", None,
               f"≤ {TRIPS_REACH}", trips <= TRIPS_REACH),
        Result("scrape-10000", f"slowest command, {where}", f"{plain(slowest.ms)} ms", slowest.name, None,
               f"≤ {BLOCK_REACH:g} ms", slowest.ms <= BLOCK_REACH),
    ]  # fmt: skip


def _time(figure: str, values: list[float], size: int) -> Result:
    spread = Spread.of([value * 1000 for value in values])
    return Result(
        "scrape-10000", figure, f"{spread.range_text()} ms", f"{size / 1e6:.1f} MB", None,
        f"≤ {P50_REACH:g} ms", spread.median <= P50_REACH,
    )  # fmt: skip


def _p50s(bench: Bench, fleet: SimulatedFleet, target: targets.Target) -> tuple[dict[str, list[float]], int]:
    scrapers = {name: bench.keep(target.scraper(gzip=name == "gzip")) for name in ("identity", "gzip")}

    def once(scraper: Scraper) -> float:
        times = []
        for _ in range(SCRAPES):
            fleet.beat()
            times.append(scraper.seconds())
        return statistics.median(times)

    measures = {name: lambda scraper=scraper: once(scraper) for name, scraper in scrapers.items()}
    size = len(scrapers["identity"].get())
    return interleave(bench.effort.repetitions, measures), size


@dataclass(frozen=True, slots=True)
class _Slow:
    ms: float
    name: str


def _commands(
    bench: Bench, port: int, fleet: SimulatedFleet, direct: targets.Target, client: redis_py.Redis
) -> tuple[list[_Slow], int]:
    """The time of our commands in the server, and the round trips of a scrape through a proxy."""
    direct.stop()
    proxy = bench.keep(CountingProxy(port))
    target = targets.ours(bench, bench.redis("unused"), redis_port=proxy.port)
    scraper = bench.keep(target.scraper())
    client.config_set("slowlog-log-slower-than", SLOW_US)
    client.config_set("slowlog-max-len", 100_000)
    client.slowlog_reset()
    trips = []
    deadline = time.monotonic() + (3 if bench.effort.quick else BACKGROUND)
    while len(trips) < bench.effort.repetitions or time.monotonic() < deadline:
        fleet.beat()
        before = proxy.count.round_trips
        scraper.get()
        trips.append(proxy.count.round_trips - before)
    return _slow(client, fleet.redis.address), round(statistics.median(trips))


def _slow(client: redis_py.Redis, fleet_address: str) -> list[_Slow]:
    """All commands except those of the simulated fleet, which real workers would send one by one."""
    entries = client.slowlog_get(100_000)
    found = [
        _Slow(entry["duration"] / 1000, entry["command"][:60].decode(errors="replace"))
        for entry in entries
        if entry["client_address"].decode() != fleet_address
    ]
    return found or [_Slow(SLOW_US / 1000, f"none above {SLOW_US} µs")]
