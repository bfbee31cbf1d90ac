"""CPU of real worker processes per job that does nothing, and their throughput in the same runs.

Three fleets stand ready; the jobs of one appear at once while the other two have nothing to do. With
Dramatiq's default prefetch its consumer sleeps between small batches, which hides any cost; so it is 500.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from harness import targets
from harness.bench import Bench, Effort
from harness.jobs import STAGE, enqueue, left, release
from harness.raw_redis import RawRedis
from harness.result import Result
from harness.spread import Spread, interleave, ratio
from support.polling import wait_until
from support.programs import Program

KINDS = ("none", "ours", "dramatiq")
QUEUE, ACTOR = "queue-0000", "nothing"
JOBS = 6_000  # in one repetition
ROUNDS = 3  # of all three, in one repetition: the noise of a moment is longer than that of a round
WARM_UP = 500
CPU_REACH, THROUGHPUT_REACH = 1.05, 0.97
POLL = 0.01  # seconds
SETTLE = 0.5  # seconds after the last job, so that its counts have been handed over


@dataclass(frozen=True, slots=True)
class Run:
    """One fleet's share of a repetition."""

    cpu_us: float  # per job
    per_second: float


class Fleet:
    """Workers with one kind of metrics, on a Redis of their own."""

    def __init__(self, bench: Bench, kind: str, processes: int) -> None:
        server = bench.redis(f"redis-{kind}-{processes}")
        self._redis = bench.keep(RawRedis(server.port))
        env = {"dramatiq_queue_prefetch": "500"}
        self._program = bench.keep(
            targets.dramatiq_workers(
                bench, server, kind, processes=processes, threads=targets.THREADS, env=env
            )
        )
        self.run(WARM_UP)

    def run(self, jobs: int) -> Run:
        """Let the jobs appear, wait for the last."""
        self._redis.call_all(enqueue(QUEUE, ACTOR, jobs, namespace=STAGE))
        before = cpu_seconds(self._program)
        self._redis.call_all(release(QUEUE))
        wait_until(lambda: left(self._redis, QUEUE) < jobs, interval=POLL, what="the first job")
        began = time.perf_counter()
        wait_until(lambda: not left(self._redis, QUEUE), timeout=300, interval=POLL, what="the last job")
        seconds = time.perf_counter() - began
        time.sleep(SETTLE)
        return Run((cpu_seconds(self._program) - before) / jobs * 1e6, jobs / seconds)


def cpu_seconds(program: Program) -> float:
    """User and system time of all children, which are the workers (and Dramatiq's exposition server, idle)."""
    times = [child.cpu_times() for child in psutil.Process(program.pid).children(recursive=True)]
    return sum(one.user + one.system for one in times)


def measure(bench: Bench) -> list[Result]:
    """One worker process and two, of eight threads each."""
    return list(itertools.chain.from_iterable(_processes(bench.effort, count) for count in (1, 2)))


def _processes(effort: Effort, processes: int) -> list[Result]:
    with Bench(effort) as bench:
        fleets = {kind: Fleet(bench, kind, processes) for kind in KINDS}
        found: dict[str, list[Run]] = {kind: [] for kind in KINDS}

        def once(kind: str) -> Callable[[], float]:
            def run() -> float:
                found[kind].append(fleets[kind].run(effort.of(JOBS)))
                return 0.0

            return run

        interleave(effort.repetitions * ROUNDS, {kind: once(kind) for kind in KINDS})
    return [*_lines(found, processes, "ours", reach=True), *_lines(found, processes, "dramatiq", reach=False)]


def _lines(found: dict[str, list[Run]], processes: int, kind: str, *, reach: bool) -> list[Result]:
    cpu = {name: [run.cpu_us for run in runs] for name, runs in found.items()}
    rate = {name: [run.per_second for run in runs] for name, runs in found.items()}
    where = f"{processes} process{'es' * (processes > 1)} × {targets.THREADS} threads"
    name = "ours" if kind == "ours" else "Dramatiq's"
    more, faster = ratio(cpu[kind], cpu["none"]), ratio(rate[kind], rate["none"])
    return [
        Result("worker-cpu", f"CPU per job, {where}, {name}", Spread.of(cpu[kind]).text("µs"),
               f"no metrics {Spread.of(cpu['none']).text('µs')}", more,
               f"≤ {CPU_REACH}" if reach else "", more.median <= CPU_REACH if reach else None),
        Result("worker-cpu", f"jobs a second, {where}, {name}", Spread.of(rate[kind]).text("/s"),
               f"no metrics {Spread.of(rate['none']).text('/s')}", faster,
               f"≥ {THROUGHPUT_REACH}" if reach else "", faster.median >= THROUGHPUT_REACH if reach else None),
    ]  # fmt: skip
