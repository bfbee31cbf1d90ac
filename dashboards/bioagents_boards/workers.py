"""The board "Workers": memory, load, restarts, heartbeats, clocks and threads of each worker.

:mod:`bioagents_boards.workers_graphs` has its graphs.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import WORKERS
from bioagents_alerts.thresholds import COMPARABLE, UNEVEN
from bioagents_boards import shared
from bioagents_boards.alerts import alerts_of
from bioagents_boards.frame import Board
from bioagents_boards.panels import OF_HOST, OF_WORKER, Stat
from bioagents_boards.queries import gauge, highest, lowest, rate, recorded, top, unnamed
from bioagents_boards.shared import NO_WORKER, of_workers
from bioagents_boards.style import ANY_IS_BAD, BAD, CLEAR, GOOD, NEUTRAL, WARN, thresholds
from bioagents_boards.tables import Label, Table, Value, link
from bioagents_boards.workers_graphs import BOOTS, BOOTS_HIGH, HOST_MEMORY, MEMORY_HIGH, ROWS, SKEW_HIGH

#: A table has at most this many lines of workers.
LISTED: Final = 50

#: The labels in which two workers differ.
_WORKER: Final = ("worker", "host", "pid", "queues")
_NO_RULES: Final = "no worker, or rules not loaded"


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
        highest(HOST_MEMORY, "host"),
        which=OF_HOST,
        unit="percentunit",
        thresholds=thresholds(GOOD, (0.7, WARN), (MEMORY_HIGH, BAD)),
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
        highest(BOOTS, "host"),
        which=OF_HOST,
        thresholds=thresholds(GOOD, (2.5, WARN), (BOOTS_HIGH, BAD)),
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
        thresholds=thresholds(GOOD, (2, WARN), (SKEW_HIGH, BAD)),
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
            thresholds=thresholds(CLEAR, (0.7, WARN), (MEMORY_HIGH, BAD)),
        ),
        Value("Memory", query=_listed(shared.MEMORY), unit="bytes"),
        Value(
            "CPU",
            query=_listed(shared.by_id(of_workers("cpu_seconds:rate5m"))),
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

WORKERS_BOARD: Final = Board(
    WORKERS,
    "Workers",
    "Is memory sufficient, is load even, which workers restart and which are missing?",
    [*_STATS, _WORKERS, _ABSENT, _CONFIGURATIONS, alerts_of(WORKERS)],
    ROWS,
)
