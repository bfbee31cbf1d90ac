"""The cost of the hooks per job: ours, Dramatiq's Prometheus middleware, and hooks that do nothing."""

from __future__ import annotations

import sys

from harness.bench import Bench
from harness.dialogue import Answer, Dialogue
from harness.result import Result
from harness.spread import Spread, interleave, ratio
from harness.targets import PROGRAMS

KINDS = ("none", "ours", "dramatiq")
JOBS = 4_000  # in one block, of all threads together
BLOCKS = 10  # in one repetition
REACH = {1: 1 / 8, 8: 1 / 12}
LIFE_REACH = 3.0  # microseconds


def measure(bench: Bench) -> list[Result]:
    """With one thread and with eight; then all hooks of a job."""
    server = bench.redis()
    probes = {
        kind: bench.keep(_probe(bench, kind, f"redis://127.0.0.1:{server.port}/{database}"))
        for database, kind in enumerate(KINDS)
    }
    results: list[Result] = []
    for threads, reach in REACH.items():
        results += _attempt(bench, probes, threads, reach)
    return [*results, _life(bench, probes)]


def _probe(bench: Bench, kind: str, url: str) -> Dialogue:
    """One ``programs/hooks_probe.py`` for all repetitions."""
    env = {"REDIS_URL": url, "dramatiq_prom_db": str(bench.subfolder(f"prometheus-{kind}"))}
    return Dialogue(bench, [sys.executable, str(PROGRAMS / "hooks_probe.py"), kind], env)


def _run(bench: Bench, probes: dict[str, Dialogue], what: str, threads: int) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {kind: [] for kind in probes}

    def once(kind: str) -> float:
        found[kind].append(probes[kind].ask(what, threads, JOBS, bench.effort.of(BLOCKS)))
        return 0.0

    for probe in probes.values():
        probe.ask(what, threads, JOBS, 1)  # warms up: imports, first labels
    interleave(bench.effort.repetitions, {kind: lambda kind=kind: once(kind) for kind in probes})
    return found


def _attempt(bench: Bench, probes: dict[str, Dialogue], threads: int, reach: float) -> list[Result]:
    found = _run(bench, probes, "process", threads)
    walls = {kind: [one["wall"] for one in values] for kind, values in found.items()}
    whole = {kind: [one["cpu"] for one in values] for kind, values in found.items()}
    figure = f"before + after hooks, {threads} thread{'s' * (threads > 1)}"
    against = ratio(walls["ours"], walls["dramatiq"])
    return [
        Result("hooks", figure, _us(walls["ours"]), f"Dramatiq {_us(walls['dramatiq'])}", against,
               f"≤ 1/{1 / reach:.0f} = {reach:.3f}", against.median <= reach),
        Result("hooks", figure, _us(walls["ours"]), f"no-op {_us(walls['none'])}", ratio(walls["ours"], walls["none"])),
        Result("hooks", f"{figure}: CPU with adding up and flushing", _us(whole["ours"]),
               f"Dramatiq {_us(whole['dramatiq'])}", ratio(whole["ours"], whole["dramatiq"])),
    ]  # fmt: skip


def _life(bench: Bench, probes: dict[str, Dialogue]) -> Result:
    walls = {kind: [one["wall"] for one in values] for kind, values in _run(bench, probes, "life", 1).items()}
    median = Spread.of(walls["ours"]).median
    return Result(
        "hooks", "all hooks of a job's life, 1 thread", _us(walls["ours"]), f"no-op {_us(walls['none'])}",
        ratio(walls["ours"], walls["none"]), f"≤ {LIFE_REACH:g} µs", median <= LIFE_REACH,
    )  # fmt: skip


def _us(values: list[float]) -> str:
    return Spread.of(values).text("µs")
