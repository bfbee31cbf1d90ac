"""CPU of real worker processes per job that does nothing, and their throughput in the same runs.

All fleets run at once; the jobs of one fleet are enqueued together while the others are idle. With Dramatiq's
default prefetch a consumer sleeps between small batches, which hides any cost, so the prefetch is 500.

Two identical fleets differ by several per cent for as long as they run (memory layout, CPU core). Each repetition
therefore starts all fleets again, and the fleet without metrics runs three times. Others are compared with the mean
of the three, and the deviation of each of the three is the error of this row. The row needs more repetitions than
others, because a difference of one per cent is smaller than that error.
"""

from __future__ import annotations

import functools
import itertools
import statistics
import time
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

#: Fleets → their kind of metrics.
KINDS = {
    "none": "none",
    "ours": "ours",
    "none-2": "none",
    "none-3": "none",
    "dramatiq": "dramatiq",
}
BASE = ("none", "none-2", "none-3")
NAMES = {
    "ours": "ours",
    "dramatiq": "Dramatiq's",
    "none": "no metrics, one of the three",
}
QUEUE, ACTOR = "queue-0000", "nothing"
JOBS = 4_000  # at once
ROUNDS = 2  # of all kinds, in one repetition: short, so that all have the same load of the machine
REPETITIONS = 15  # at least
WARM_UP = 500
CPU_REACH, THROUGHPUT_REACH = 1.05, 0.97
POLL = 0.01  # seconds
SETTLE = 0.3  # seconds after the last job, so that its counts have been sent


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one group in a repetition."""

    cpu_us: float  # per job
    per_second: float


class WorkerGroup:
    """Workers with one kind of metrics, on their own Redis."""

    def __init__(self, bench: Bench, name: str, processes: int) -> None:
        server = bench.redis(f"redis-{name}")
        self._redis = bench.keep(RawRedis(server.port))
        env = {"dramatiq_queue_prefetch": "500"}
        self._program = bench.keep(
            targets.dramatiq_workers(
                bench, server, KINDS[name], processes=processes, threads=targets.THREADS, env=env
            )
        )
        self.run(WARM_UP)

    def run(self, jobs: int) -> Run:
        """Make the jobs available and wait for the last."""
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
    """CPU time of all children, which are the workers (and Dramatiq's exposition server, idle)."""
    return sum(
        # The CPU clock of another process (Linux), as clock_getcpuclockid() gives it: exact to the nanosecond.
        time.clock_gettime((~child.pid << 3) | 2)
        for child in psutil.Process(program.pid).children(recursive=True)
    )


def measure(bench: Bench) -> list[Result]:
    """One worker process and two, of eight threads each."""
    return list(itertools.chain.from_iterable(_processes(bench.effort, count) for count in (1, 2)))


def _processes(effort: Effort, processes: int) -> list[Result]:
    found: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    for _ in range(effort.repetitions if effort.quick else max(effort.repetitions, REPETITIONS)):
        with Bench(effort) as bench:
            fleets = {name: WorkerGroup(bench, name, processes) for name in KINDS}
            for kind, run in _repetition(fleets, effort).items():
                found[kind].append(run)
    where = f"{processes} process{'es' * (processes > 1)} × {targets.THREADS} threads"
    base = [_mean(list(runs)) for runs in zip(*(found[name] for name in BASE), strict=True)]
    return [line for name in NAMES for line in _lines(found, base, where, name)]


def _repetition(fleets: dict[str, WorkerGroup], effort: Effort) -> dict[str, Run]:
    """The mean of short rounds, taken in turn."""
    runs: dict[str, list[Run]] = {kind: [] for kind in fleets}

    def once(kind: str) -> float:
        runs[kind].append(fleets[kind].run(JOBS))
        return 0.0

    interleave(effort.of(ROUNDS), {kind: functools.partial(once, kind) for kind in fleets})
    return {kind: _mean(one) for kind, one in runs.items()}


def _mean(runs: list[Run]) -> Run:
    return Run(
        statistics.fmean(run.cpu_us for run in runs),
        statistics.harmonic_mean([run.per_second for run in runs]),
    )


def _lines(found: dict[str, list[Run]], base: list[Run], where: str, name: str) -> list[Result]:
    cpu, base_cpu = [run.cpu_us for run in found[name]], [run.cpu_us for run in base]
    rate, base_rate = [run.per_second for run in found[name]], [run.per_second for run in base]
    more, faster, reach = ratio(cpu, base_cpu), ratio(rate, base_rate), name == "ours"
    return [
        Result("worker-cpu", f"CPU per job, {where}, {NAMES[name]}", Spread.of(cpu).text("µs"),
               f"no metrics {Spread.of(base_cpu).text('µs')}", more,
               f"≤ {CPU_REACH}" if reach else "", more.median <= CPU_REACH if reach else None),
        Result("worker-cpu", f"jobs a second, {where}, {NAMES[name]}", Spread.of(rate).text("/s"),
               f"no metrics {Spread.of(base_rate).text('/s')}", faster,
               f"≥ {THROUGHPUT_REACH}" if reach else "", faster.median >= THROUGHPUT_REACH if reach else None),
    ]  # fmt: skip
