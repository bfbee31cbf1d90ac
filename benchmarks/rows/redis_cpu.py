"""The CPU time of a thousand workers in Redis: their script calls, replayed at their rate."""

from __future__ import annotations

import sys

from bioagents_worker._flusher import FLEET_CALLS
from harness.bench import Bench
from harness.dialogue import Answer, Dialogue
from harness.result import Result
from harness.spread import Spread, interleave, ratio
from harness.targets import PROGRAMS

WORKERS = 1_000
SECONDS = 12.0
INTERVAL = WORKERS / FLEET_CALLS  # seconds between two calls of a worker with new counts
REACH = 5.0  # per cent of a core


def measure(bench: Bench) -> list[Result]:
    """Compared with as many PINGs on as many connections; every call has counts and a heartbeat."""
    server = bench.redis()
    seconds = INTERVAL if bench.effort.quick else SECONDS
    command = [
        sys.executable,
        str(PROGRAMS / "replay.py"),
        *map(str, (server.port, WORKERS, seconds, INTERVAL)),
    ]
    dialogue = bench.keep(Dialogue(bench, command))
    found: dict[str, list[Answer]] = {"script": [], "ping": []}

    def once(what: str) -> float:
        answer = dialogue.ask(what)
        found[what].append(answer)
        return answer["cpu"] / answer["seconds"] * 100

    shares = interleave(bench.effort.repetitions, {what: lambda what=what: once(what) for what in found})
    ours = Spread.of(shares["script"])
    calls = [answer["calls"] / answer["seconds"] for answer in found["script"]]
    return [
        Result("redis-cpu", f"share of a core, {WORKERS:,} workers", f"{ours.range_text()} %",
               f"PING {Spread.of(shares['ping']).text('%')}", ratio(shares["script"], shares["ping"]),
               f"≤ {REACH:g} %", ours.median <= REACH),
        Result("redis-cpu", "calls answered", Spread.of(calls).text("/s")),
    ]  # fmt: skip
