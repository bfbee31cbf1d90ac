"""The board "Fleet overview"."""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import FLEET as UID
from bioagents_alerts.boards import QUEUE, SLO, WORKERS
from bioagents_boards import shared
from bioagents_boards.alerts import every_alert, firing_for, number_of_alerts
from bioagents_boards.frame import Board
from bioagents_boards.panels import (
    BY_HOST,
    BY_QUEUE,
    FLEET,
    LIMIT,
    OF_ALERT,
    OF_QUEUE,
    Graph,
    Stat,
    Target,
)
from bioagents_boards.queries import bottom, gauge, highest, together, top, unnamed
from bioagents_boards.shared import NO_JOB, NO_QUEUE, NO_WORKER
from bioagents_boards.slo import BUDGET_LEFT_OF_BOTH
from bioagents_boards.style import BAD, CLEAR, WARN, budget_left, infinite, share_of_limit, thresholds
from bioagents_boards.tables import Label, Table, Value, link

#: BY_QUEUE: the highest share of a limit that is used: waiting jobs, wait, failure ratio, minimum of workers.
_LIMIT_USED: Final = together(
    "max",
    {
        "depth": f"{shared.WAITING} / {gauge('queue_depth_limit')}",
        "wait": shared.WAIT_LIMIT_USED,
        "failures": f"{shared.FAILURE_RATIO} / {gauge('queue_failure_ratio_limit')}",
        "workers": f"{shared.MINIMUM_IN_SERVICE} > bool {shared.WORKERS}",
    },
)

_STATS: Final = (
    number_of_alerts(
        "Firing alerts",
        "Alerts of this product that fire now. Normal: 0. The table of alerts below links to their runbooks.",
    ),
    Stat(
        "Firing since",
        "For how long the condition of the oldest firing alert has been true, with its name and queue. "
        "Normal: none fires.",
        firing_for(),
        which=OF_ALERT,
        unit="s",
        thresholds=thresholds(BAD),
        empty="none fires, or rules not loaded",
    ),
    Stat(
        "Worst limit used",
        "The highest share of a limit that any queue uses, with that queue: waiting jobs, oldest wait, "
        "failure ratio, or 100 % when it has fewer workers than its minimum. The exporter's settings set "
        "the limits. Normal: below 70 %. Above 100 %: the dashboard Queue shows which limit it is.",
        highest(_LIMIT_USED, "queue"),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=share_of_limit(),
        empty="no queue, or rules not loaded",
    ),
    shared.redis_up(),
    shared.workers_alive(),
    Stat(
        "Waiting jobs",
        "Jobs that wait in Redis in all chosen queues, without delayed ones. Normal: what your workers "
        "finish within your SLO. The table below compares each queue with its limit.",
        f"sum without (queue) ({shared.WAITING})",
        empty="no queue, or rules not loaded",
    ),
    Stat(
        "Oldest wait",
        "How long the oldest waiting job has been ready to run, and its queue. Normal: below the wait limit "
        "of that queue: “Limit used” in the table below.",
        highest(shared.OLDEST_WAIT, "queue"),
        which=OF_QUEUE,
        unit="s",
        empty="no queue, or rules not loaded",
    ),
    shared.failures_per_second("Find the exceptions on the dashboard Actor."),
)

_QUEUES: Final = Table(
    "Queues",
    "One row for each queue, the one closest to a limit first. Normal: nothing coloured. The failure ratio "
    "is empty without attempts in the last 5 minutes. “SLO left” is the remaining error budget of three "
    "days, of the objective that has less left (dashboard SLO). Click a queue to find out why it is slow.",
    [
        Label("Fleet", label="fleet"),
        Label(
            "Queue",
            label="queue",
            links=[link("Why is it slow?", QUEUE, fleet="Fleet", queue="Queue")],
        ),
        Value("Limit used", query=_LIMIT_USED, unit="percentunit", thresholds=share_of_limit(CLEAR)),
        Value("Waiting", query=shared.WAITING),
        Value("Oldest wait", query=shared.OLDEST_WAIT, unit="s"),
        Value("Workers", query=shared.WORKERS),
        Value("Slots", query=shared.SLOTS),
        Value("Running/slots", query=shared.RUNNING_PER_SLOT, unit="percentunit", whole=True),
        Value("Failure ratio", query=shared.FAILURE_RATIO, unit="percentunit"),
        Value("Time to drain", query=shared.DRAIN_TIME, unit="s", mappings=[infinite("not shrinking", WARN)]),
        Value(
            "SLO left",
            query=BUDGET_LEFT_OF_BOTH,
            unit="percentunit",
            thresholds=budget_left(CLEAR),
            links=[link("What is left of each objective?", SLO, fleet="Fleet", queue="Queue")],
        ),
    ],
    empty=NO_QUEUE,
    sort="Limit used",
)

# Workers in tables.
_WORKER: Final = (
    Label("Fleet", label="fleet"),
    Label("Host", label="host"),
    Label("Process", label="pid", width=80),
    Label("Queues", label="queues"),
)
_ID: Final = Label(
    "Id",
    label="worker",
    links=[link("This worker alone", WORKERS, fleet="Fleet", worker="Id")],
    width=75,
)
_BUSIEST: Final = top(shared.described(gauge("worker_running_jobs")))
_OF_BUSIEST: Final = f"and ignoring ({shared.FACTS}) {_BUSIEST}"

_BUSIEST_WORKERS: Final = Table(
    "Busiest workers",
    "The ten workers that run the most jobs now. Normal: as many jobs as slots where jobs wait, fewer "
    "elsewhere; memory (the share of its limit) below 70 %. A worker without slots drains. Click an id to "
    "see that worker alone.",
    [
        *_WORKER,
        Value("Running", query=_BUSIEST),
        Value("Slots", query=f"{unnamed(gauge('worker_slots'))} {_OF_BUSIEST}"),
        Value(
            "Memory used",
            query=f"{shared.MEMORY_SHARE} {_OF_BUSIEST}",
            unit="percentunit",
            thresholds=thresholds(CLEAR, (0.7, WARN), (shared.begins("WorkerMemoryHigh"), BAD)),
        ),
        _ID,
    ],
    empty=NO_WORKER,
    sort="Running",
    hide=("version",),
)

_NEWEST_WORKERS: Final = Table(
    "Newest workers",
    "The ten workers that started last. Normal: all of about the same age, that of your last deployment. A "
    "single young one replaced a worker that died or was stopped. Click an id to see that worker alone.",
    [
        *_WORKER,
        Label("Version", label="version", width=90),
        Value(
            "Uptime",
            query=bottom(shared.described(f"(time() - {gauge('worker_start_time_seconds')})")),
            unit="s",
        ),
        _ID,
    ],
    empty=NO_WORKER,
    sort="Uptime",
    highest_first=False,
    width=12,
)

_STARTS: Final = Graph(
    "Starts by host",
    "Workers that started in the minute before each point (in a longer time where days are shown), top 10 "
    "hosts. Normal: 0, and a peak when you deploy or scale. Repeated peaks are crashes: read the last lines "
    "of the workers' logs.",
    [Target(top(shared.starts_by_host()), BY_HOST)],
    steps=True,
    width=6,
    empty=NO_WORKER,
)


def _quantiles(title: str, more: str, histogram: str) -> Graph:
    return Graph(
        f"{title} by queue",
        f"p50 and p95 {title.lower()}, estimated from a histogram, top 10 queues. {more} Normal: "
        "as last week. A p95 that rises alone: a few slow jobs.",
        shared.quantiles(shared.of_queues, histogram, (95, 50), BY_QUEUE),
        unit="s",
        empty=NO_JOB,
    )


_WORKERS_GRAPH: Final = Graph(
    "Workers",
    "Workers alive, missing (no heartbeat, without a clean shutdown, for less than an hour) and draining by "
    "queue. Normal: a constant number alive, none missing, draining only while you deploy. Missing workers: "
    "see the dashboard Workers.",
    [
        Target(shared.ALIVE, FLEET + " alive"),
        Target(shared.MISSING, FLEET + " missing"),
        Target(top(f"{gauge('queue_draining_workers')} > 0"), BY_QUEUE + " draining"),
    ],
    empty="no worker",
)
_SLOTS_GRAPH: Final = Graph(
    "Running jobs and slots",
    "Running jobs, and the living threads that can run one (dashed). Normal: running stays below slots. "
    "When they are equal, jobs wait for a free slot: add workers.",
    [
        Target(shared.RUNNING_OF_FLEET, FLEET + " running"),
        Target(shared.SLOTS_OF_FLEET, FLEET + " slots" + LIMIT),
    ],
    empty=NO_WORKER,
)

FLEET_BOARD: Final = Board(
    UID,
    "Fleet overview",
    "Is anything wrong in a fleet of Dramatiq workers, where, and since when?",
    [*_STATS, _QUEUES, every_alert(height=6)],
    {
        "Recent changes": [shared.workers_by_version(6), _STARTS, _NEWEST_WORKERS],
        "Backlog": [shared.waiting_jobs(12), shared.arrivals_and_completions(12)],
        "Wait and run time": [
            shared.oldest_wait("on the dashboard Queue"),
            _quantiles("Wait time", "Without delays and the back-off of retries.", "job_wait"),
            _quantiles("Run time", "Each attempt counts when it ends.", "job_duration"),
        ],
        "Failures and retries": [
            shared.failures_by_exception(8),
            shared.retries_by_queue(),
            shared.dead_letters(),
        ],
        "Workers and slots": [_WORKERS_GRAPH, _SLOTS_GRAPH, shared.memory_of_workers(), _BUSIEST_WORKERS],
    },
)
