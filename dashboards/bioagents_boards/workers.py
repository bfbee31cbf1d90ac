"""The board "Workers": memory, load, restarts, heartbeats, clocks and threads of each worker."""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import WORKERS
from bioagents_alerts.thresholds import COMPARABLE, UNEVEN
from bioagents_boards import shared
from bioagents_boards.alerts import alerts_of
from bioagents_boards.frame import Board
from bioagents_boards.panels import (
    BY_HOST,
    BY_WORKER,
    FLEET,
    OF_HOST,
    OF_WORKER,
    THRESHOLD,
    Graph,
    Stat,
    Target,
)
from bioagents_boards.queries import (
    bottom,
    gauge,
    highest,
    lowest,
    near_threshold,
    rate,
    recorded,
    top,
    unnamed,
)
from bioagents_boards.shared import NO_WORKER, of_workers
from bioagents_boards.style import ANY_IS_BAD, BAD, CLEAR, GOOD, NEUTRAL, WARN, thresholds
from bioagents_boards.tables import Label, Table, Value, link

_MEMORY_HIGH: Final = shared.begins("WorkerMemoryHigh")
_BOOTS_HIGH: Final = shared.begins("WorkerRestarting")
_SKEW_HIGH: Final = shared.begins("WorkerClockSkew")

#: A table has at most this many lines of workers.
LISTED: Final = 50

_HOUR: Final = 3600
#: The labels in which two workers differ.
_WORKER: Final = ("worker", "host", "pid", "queues")
_ALERT: Final = FLEET + THRESHOLD
_NO_RULES: Final = "no worker, or rules not loaded"
_NO_HALF_HOUR: Final = "no worker has taken jobs for half an hour, or the rules are not loaded"

_NAMES: Final = of_workers("info:max")
#: By host, of hosts with workers of a chosen queue: the share of the limit that its workers use together.
_HOST_MEMORY: Final = (
    f"{recorded('host:bioagents_worker_memory:ratio')} and max without (worker, pid, queues) ({_NAMES})"
)
_BOOTS: Final = recorded("host:bioagents_worker_boots:ratio1h")
_CLOCK_SKEW: Final = recorded("fleet:bioagents_worker_clock_skew_seconds:max")


def _leaking() -> str:
    """How many workers of chosen queues look like a leak; 0 where workers are known."""
    away = "without (worker, host, pid, queues)"
    workers = f"0 * max {away} ({of_workers('memory_rss_bytes:max')})"
    return f"count {away} ({of_workers('memory_leak:deriv6h')}) or {workers}"


def _least_share() -> str:
    """Attempts of the least loaded worker to the average of its group, where there are enough of them."""
    shares = of_workers("jobs:share_rate30m")
    attempts = recorded("role:bioagents_worker_jobs:rate30m", "queues")
    threads = recorded("role:bioagents_worker_threads:avg", "queues")
    comparable = f"({attempts} > {threads} * {COMPARABLE} / 1800)"
    return lowest(f"{shares} and ignoring (worker, host, pid) {comparable}", *_WORKER)


_STATS: Final = (
    shared.workers_alive(),
    Stat(
        "Missing",
        "Workers of the whole fleet that stopped sending heartbeats without a clean shutdown in the last "
        "hour. Normal: 0. Killed, frozen or disconnected: the table “Missing or draining” shows them; "
        "inspect their hosts first.",
        shared.MISSING,
        thresholds=ANY_IS_BAD,
        empty=shared.NO_FLEET,
    ),
    Stat(
        "Top host memory",
        "The highest share of a memory limit that the workers of one host or container use together; "
        "workers with one host name and equal limits count as sharing one. Normal: below 70 %. At 90 % "
        "WorkerMemoryHigh fires: restart the largest worker; at 100 % the kernel kills one.",
        highest(_HOST_MEMORY, "host"),
        which=OF_HOST,
        unit="percentunit",
        thresholds=thresholds(GOOD, (0.7, WARN), (_MEMORY_HIGH, BAD)),
        empty=_NO_RULES,
    ),
    Stat(
        "Leaking workers",
        "Workers whose memory has grown for six hours, continues to grow and will reach the limit within "
        "three days. Normal: 0. After an hour WorkerMemoryLeak fires: plan restarts and find the leak. "
        "Workers younger than seven hours are not judged.",
        _leaking(),
        thresholds=thresholds(GOOD, (1, WARN)),
        empty=_NO_RULES,
    ),
    Stat(
        "Least loaded",
        "Attempts of the worker that finishes fewest, as a share of the average of workers of the same "
        "queues, over half an hour. Normal: above 50 %. Below 20 %, while the others are busier, "
        "WorkersUneven fires: compare its log with another's. Not shown where slots finish fewer than 40 "
        "attempts in that time.",
        _least_share(),
        which=OF_WORKER,
        unit="percentunit",
        thresholds=thresholds(BAD, (UNEVEN, WARN), (0.5, GOOD)),
        empty="too few jobs, or rules not loaded",
    ),
    Stat(
        "Boots per worker",
        "Workers that started in the last hour for each that a host had, on the host with the most, "
        "whichever are chosen. Normal: 0, or 1 after a deployment. Above 3.5 WorkerRestarting fires: find "
        "out why the last ones ended.",
        highest(_BOOTS, "host"),
        which=OF_HOST,
        thresholds=thresholds(GOOD, (2.5, WARN), (_BOOTS_HIGH, BAD)),
        empty=_NO_RULES,
    ),
    Stat(
        "Lost threads",
        "Worker and consumer threads that died in living workers. Normal: 0. Dead threads never return: "
        "restart these workers gracefully, one after the other.",
        f"sum without (worker, host, pid, queues) ({of_workers('threads_lost:sum')})",
        thresholds=ANY_IS_BAD,
        empty=_NO_RULES,
    ),
    Stat(
        "Clock skew",
        "The largest difference between a worker's clock and that of Redis. Normal: below a second. At 10 s "
        "WorkerClockSkew fires: synchronise the clock. From a minute on, running jobs may be started twice.",
        highest(of_workers("clock_skew_seconds:abs"), *_WORKER),
        which=OF_WORKER,
        unit="s",
        thresholds=thresholds(GOOD, (2, WARN), (_SKEW_HIGH, BAD)),
        empty=_NO_RULES,
    ),
)

# Tables.
#: Workers without a limit come last, but they do come.
_FULLEST: Final = top(f"({shared.MEMORY_SHARE} or 0 * {shared.MEMORY})", LISTED)


def _listed(by_worker: str) -> str:
    return unnamed(f"({by_worker}) and {_FULLEST}")


#: By worker: seconds since its last heartbeat.
_HEARTBEAT_AGE: Final = shared.by_id(of_workers("heartbeat_age_seconds:min"))

_WORKERS: Final = Table(
    "Workers",
    f"The {LISTED} living workers that use the largest share of their memory limit, which the processes of "
    "one host or container share; choose a queue or a worker to see others. Normal: no slots only "
    "while it drains, a heartbeat of a few seconds (up to a minute with thousands of workers). Click a "
    "process to see it alone.",
    [
        Label("Fleet", label="fleet"),
        Label("Host", label="host"),
        Label(
            "Process",
            label="pid",
            links=[link("This worker alone", WORKERS, fleet="Fleet", worker="Id")],
            width=80,
        ),
        Label("Queues", label="queues"),
        Label("Version", label="version", width=90),
        Value("", query=f"{shared.WORKER_FACTS} and ignoring ({shared.FACTS}) {_FULLEST}"),
        Value(
            "Memory used",
            query=_listed(shared.MEMORY_SHARE),
            unit="percentunit",
            thresholds=thresholds(CLEAR, (0.7, WARN), (_MEMORY_HIGH, BAD)),
        ),
        Value("Memory", query=_listed(shared.MEMORY), unit="bytes"),
        Value(
            "CPU",
            query=_listed(rate("worker_cpu_seconds_total", keep=("worker",))),
            unit="percentunit",
        ),
        Value(
            "Slots",
            query=_listed(gauge("worker_slots")),
            thresholds=thresholds(NEUTRAL, (1, CLEAR)),
        ),
        Value("Running", query=_listed(gauge("worker_running_jobs"))),
        Value("Attempts/s", query=_listed(rate("worker_jobs_total", keep=("worker",)))),
        Value("Heartbeat", query=_listed(_HEARTBEAT_AGE), unit="s"),
        Value(
            "Uptime",
            query=_listed(f"time() - {gauge('worker_start_time_seconds')}"),
            unit="s",
        ),
        Label("Id", label="worker", width=75),
    ],
    empty=NO_WORKER,
    sort="Memory used",
    height=10,
)

_ABSENT: Final = Table(
    "Missing or draining",
    "Workers that stopped sending heartbeats without a clean shutdown in the last hour, and how long ago; "
    "and workers that take no more jobs, with those that they still run. Normal: empty, and drains while "
    "you deploy. The jobs of a missing worker return by themselves within minutes.",
    [
        Label("Fleet", label="fleet"),
        Label("Host", label="host"),
        Label("Process", label="pid", width=80),
        Label("Queues", label="queues"),
        Label("Version", label="version", width=90),
        Value(
            "Missing for",
            query=top(shared.described(f"({_HEARTBEAT_AGE} unless {gauge('worker_threads')})"), LISTED),
            unit="s",
            thresholds=thresholds(BAD),
        ),
        # A worker without slots and jobs is about to end, or has lost all its threads.
        Value(
            "Still running",
            query=top(
                shared.described(f"({gauge('worker_running_jobs')} > 0 and {gauge('worker_slots')} == 0)"),
                LISTED,
            ),
        ),
    ],
    empty="no worker is missing or drains, or the rules are not loaded",
    sort="Missing for",
    hide=("worker",),
    width=14,
    height=7,
)

_CONFIGURATIONS: Final = Table(
    "Configurations",
    "Workers that take jobs, by the queues that they consume, version and threads. Normal: one line for "
    "each set of queues; two while you deploy. After two hours WorkerConfigSkew fires: finish the "
    "deployment or roll it back.",
    [
        Label("Fleet", label="fleet"),
        Label("Queues", label="queues"),
        Label("Version", label="version", width=90),
        Label("Threads", label="threads"),
        Value("Workers", query=recorded("role:bioagents_worker_info:count", "queues")),
    ],
    empty=NO_WORKER,
    sort="Queues",
    width=10,
    height=7,
)

# Memory.
_MEMORY_BY_HOST: Final = Graph(
    "Memory used by host",
    "Share of the memory limit that the workers of a host or container use together, the 10 hosts with the "
    "highest share. Normal: level, below 70 %. Near 90 %: restart the largest worker gracefully, then give "
    "it more memory or fewer threads.",
    [
        Target(top(_HOST_MEMORY), BY_HOST),
        Target(near_threshold(f"({_HOST_MEMORY})", _MEMORY_HIGH, "host"), _ALERT),
    ],
    unit="percentunit",
    empty=NO_WORKER,
)
_GROWTH: Final = Graph(
    "Memory growth in an hour",
    "Bytes per hour by which a worker's memory grew, measured over six hours, the ten fastest; marked when "
    "it looks like a leak. Normal: high after a start, then near 0. Growth that stays is a leak: plan "
    "graceful restarts, then look at what the last deployment keeps in memory.",
    [
        Target(f"{top(of_workers('memory_rss_bytes:deriv6h'))} * {_HOUR} > 0", BY_WORKER),
        Target(f"{top(of_workers('memory_leak:deriv6h'))} * {_HOUR}", BY_WORKER + " suspected leak"),
    ],
    unit="bytes",
    empty=NO_WORKER,
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
        Target(top(_BOOTS), BY_HOST + " per worker in an hour"),
        Target(near_threshold(_BOOTS, _BOOTS_HIGH, "host"), _ALERT),
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
        Target(near_threshold(_CLOCK_SKEW, _SKEW_HIGH), _ALERT),
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

WORKERS_BOARD: Final = Board(
    WORKERS,
    "Workers",
    "Is memory sufficient, is load even, which workers restart and which are missing?",
    [*_STATS, _WORKERS, _ABSENT, _CONFIGURATIONS, alerts_of(WORKERS)],
    {
        "Memory": [_MEMORY_BY_HOST, shared.memory_of_workers(), _GROWTH],
        "Load": [_CPU, _RUNNING, _SHARE],
        "Starts and versions": [_PRESENCE, _STARTS, shared.workers_by_version(8)],
        "Heartbeats, clocks and threads": _HEALTH,
    },
)
