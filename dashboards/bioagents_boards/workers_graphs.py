"""The board "Workers": its graphs, by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bioagents_boards import shared
from bioagents_boards.panels import BY_HOST, BY_WORKER, FLEET, THRESHOLD, Graph, Panel, Target
from bioagents_boards.queries import bottom, gauge, near_threshold, recorded, top
from bioagents_boards.shared import NO_WORKER, of_workers

MEMORY_HIGH: Final = shared.begins("WorkerMemoryHigh")
BOOTS_HIGH: Final = shared.begins("WorkerRestarting")
SKEW_HIGH: Final = shared.begins("WorkerClockSkew")

_HOUR: Final = 3600
#: The share of its memory by which a worker grows in an hour when a graph shows it.
_NOTEWORTHY: Final = 0.01
_ALERT: Final = FLEET + THRESHOLD
_NO_HALF_HOUR: Final = "no worker has taken jobs for half an hour, or the rules are not loaded"

#: By host, of hosts with workers of a chosen queue: the share of the limit that its workers use together.
HOST_MEMORY: Final = (
    f"{recorded('host:bioagents_worker_memory:ratio')} and max without (worker, pid, queues) "
    f"({of_workers('info:max')})"
)
BOOTS: Final = recorded("host:bioagents_worker_boots:ratio1h")
_CLOCK_SKEW: Final = recorded("fleet:bioagents_worker_clock_skew_seconds:max")

# Memory.
_MEMORY_BY_HOST: Final = Graph(
    "Memory used by host",
    "Share of the memory limit that the workers of a host or container use together, the 10 hosts with the "
    "highest share. Normal: level, below 70 %. Near 90 %: restart the largest worker gracefully, then give "
    "it more memory or fewer threads.",
    [
        Target(top(HOST_MEMORY), BY_HOST),
        Target(near_threshold(f"({HOST_MEMORY})", MEMORY_HIGH, "host"), _ALERT),
    ],
    unit="percentunit",
    empty=NO_WORKER,
)


def _growing(series: str) -> str:
    """Bytes per hour, of workers that are an hour old and grow by a share of their memory that matters.

    A start is no growth, and neither is what a worker of 70 MiB takes more or less from minute to minute.
    """
    growth = f"{of_workers(series)} * {_HOUR} > {_NOTEWORTHY} * {of_workers('memory_rss_bytes:max')}"
    old = f"time() - {gauge('worker_start_time_seconds')} > {_HOUR}"
    return top(f"{growth} and ignoring (host, pid, queues) ({old})")


_GROWTH: Final = Graph(
    "Memory growth in an hour",
    "Bytes per hour by which a worker's memory grew, measured over six hours, the ten fastest; of workers "
    "that are older than an hour and grow by more than 1 % in it, marked when it looks like a leak. Normal: "
    "empty. Growth that stays is a leak: plan graceful restarts, then look at what the last deployment keeps "
    "in memory.",
    [
        Target(_growing("memory_rss_bytes:deriv6h"), BY_WORKER),
        Target(_growing("memory_leak:deriv6h"), BY_WORKER + " suspected leak"),
    ],
    unit="bytes",
    empty="no worker older than an hour grows, or the rules are not loaded",
)

# Load.
_CPU: Final = Graph(
    "CPU by worker",
    "Processor time that the ten busiest workers use; 100 % is one processor. Normal: well below 100 %. A "
    "Python process that stays there computes instead of waiting, and its threads share one processor: "
    "more processes help, more threads do not.",
    [Target(top(of_workers("cpu_seconds:rate5m")), BY_WORKER)],
    unit="percentunit",
    empty=NO_WORKER,
)
_RUNNING: Final = Graph(
    "Running jobs by worker",
    "Jobs that a worker ran at a time on average of half an hour, top 10, of workers that took jobs all "
    "that time. Normal: similar for workers of the same queues. One far above the others has long jobs, or "
    "jobs that hang.",
    [Target(top(of_workers("running_jobs:avg30m")), BY_WORKER)],
    empty=_NO_HALF_HOUR,
)
_SHARE: Final = Graph(
    "Share of the average load",
    "Attempts that a worker finished in half an hour, as a share of the average of workers of the same "
    "queues; the ten lowest. Normal: near 100 % with many short jobs; jobs of minutes vary more. One that "
    "stays near 0 and runs few jobs while others work: compare its log with another's, then restart it.",
    [Target(bottom(of_workers("jobs:share_rate30m")), BY_WORKER)],
    unit="percentunit",
    empty=_NO_HALF_HOUR,
)

# Starts and ends.
_PRESENCE: Final = Graph(
    "Alive, missing, draining",
    "Workers of the fleet that are alive, those of them that take no jobs (they drain, or lost all "
    "threads), and those that stopped sending heartbeats in the last hour. Normal: a constant number "
    "alive, none missing, draining only while you deploy or scale down.",
    [
        Target(shared.ALIVE, FLEET + " alive"),
        Target(shared.MISSING, FLEET + " missing"),
        Target(shared.DRAINING, FLEET + " draining"),
    ],
    empty=NO_WORKER,
)
_STARTS: Final = Graph(
    "Starts by host",
    "Workers that started in the minute before each point (in a longer time where days are shown), and "
    "those of the last hour for each worker that the host had; top 10 hosts, whichever are chosen. Normal: "
    "0, and a peak when you deploy. Above 3.5 per worker (dashed, from half of it) WorkerRestarting fires: "
    "read the last lines of their logs.",
    [
        Target(top(shared.starts_by_host()), BY_HOST + " started"),
        Target(top(BOOTS), BY_HOST + " per worker in an hour"),
        Target(near_threshold(BOOTS, BOOTS_HIGH, "host"), _ALERT),
    ],
    empty=NO_WORKER,
)


# Heartbeats, clocks and threads.
def _seconds(title: str, description: str, *targets: Target) -> Graph:
    return Graph(title, description, targets, unit="s", width=6, empty=NO_WORKER)


_HEALTH: Final = (
    _seconds(
        "Age of the last heartbeat",
        "Time since the last heartbeat of a worker, top 10, missing ones included for an hour. Normal: a "
        "few seconds. Many at once: Redis or the network. One alone: a process that froze or died.",
        Target(top(of_workers("heartbeat_age_seconds:min")), BY_WORKER),
    ),
    _seconds(
        "Age of unsent counts",
        "How long the oldest count of a worker waited until it was sent with a heartbeat, top 10. Normal: "
        "below a second, a few in a large fleet. Higher: Redis was unreachable or is slow, and rates lag "
        "behind by as much.",
        Target(top(of_workers("flush_age_seconds:max")), BY_WORKER),
    ),
    _seconds(
        "Clock difference by worker",
        "The difference between a worker's clock and that of Redis, the ten largest. Normal: below a second. "
        "One host alone: synchronise its clock. All at once: look at the server of Redis.",
        Target(top(of_workers("clock_skew_seconds:abs")), BY_WORKER),
        Target(near_threshold(_CLOCK_SKEW, SKEW_HIGH), _ALERT),
    ),
    Graph(
        "Lost threads by worker",
        "Worker and consumer threads that died in a living worker, top 10. Normal: empty, and a moment "
        "while a worker stops. A line that stays: the worker runs fewer jobs or no longer fetches from a "
        "queue; restart it gracefully.",
        [Target(f"{top(of_workers('threads_lost:sum'))} > 0", BY_WORKER)],
        width=6,
        empty="no thread was lost, or the rules are not loaded",
    ),
)

ROWS: Final[Mapping[str, Sequence[Panel]]] = {
    "Memory": [_MEMORY_BY_HOST, shared.memory_of_workers(), _GROWTH],
    "Load": [_CPU, _RUNNING, _SHARE],
    "Starts and versions": [_PRESENCE, _STARTS, shared.workers_by_version(8)],
    "Heartbeats, clocks and threads": _HEALTH,
}
