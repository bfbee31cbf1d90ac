"""The board "Queue": its numbers and tables; :mod:`bioagents_boards.queue_graphs` has its graphs."""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import ACTOR, QUEUE, WORKERS
from bioagents_boards import shared
from bioagents_boards.alerts import every_alert
from bioagents_boards.frame import Board
from bioagents_boards.panels import OF_QUEUE, Stat
from bioagents_boards.queries import gauge, highest, lowest, together
from bioagents_boards.queue_graphs import ROWS
from bioagents_boards.shared import NO_QUEUE
from bioagents_boards.style import BAD, CLEAR, GOOD, WARN, infinite, share_of_limit, thresholds
from bioagents_boards.tables import Label, Table, Value, link

_LONGEST_RUN: Final = gauge("queue_longest_running_job_seconds")


def _worst(by_queue: str) -> str:
    """The highest of the chosen queues, one for each fleet, with its name."""
    return highest(by_queue, "queue")


#: Jobs that no worker can run, in all chosen queues.
_LOST: Final = together(
    "sum",
    {
        kind: gauge(f"queue_{kind}_jobs", keep=())
        for kind in ("orphaned", "stuck", "unheld", "overdue_delayed")
    },
)

_STATS: Final = (
    Stat(
        "Wait limit used",
        "Wait of the oldest waiting job relative to the queue's limit, for the worst selected queue. "
        "Normal: below 70 %. Above 100 % the queue is too slow and QueueWaitTooLong fires: “Arrival ratio”, "
        "“Running/slots” and “Workers/minimum” show the cause.",
        _worst(shared.WAIT_LIMIT_USED),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=share_of_limit(),
        whole=True,
        empty="no queue, or rules not loaded",
    ),
    Stat(
        "Time to drain",
        "When the backlog will be gone at the pace of the last five minutes, in the queue that takes "
        "longest. Normal: below the queue's limit, which the table below shows. “Not shrinking” (only where "
        "more jobs wait than there are slots): “Arrival ratio”, “Running/slots” and “Workers/minimum” show "
        "the cause.",
        _worst(shared.DRAIN_TIME),
        which=OF_QUEUE,
        unit="s",
        mappings=[infinite("not shrinking", WARN)],
        empty="not known yet, or rules not loaded",
    ),
    Stat(
        "Arrival ratio",
        "Arrivals for each completed job, over five minutes, in the queue where this is highest of those in "
        "which more jobs wait than there are slots. Normal: below 1, the backlog shrinks. Above 1 for long: "
        "arrivals exceed what the workers can do; add workers. Producers without JobMetrics are not counted.",
        _worst(f"{shared.ARRIVAL_RATIO} and {shared.BACKLOG}"),
        which=OF_QUEUE,
        thresholds=thresholds(GOOD, (1.1, WARN)),
        mappings=[infinite("none completes", WARN)],
        empty="no backlog, or rules not loaded",
    ),
    Stat(
        "Running/slots",
        "Running jobs of a queue relative to its slots, the living threads that can run one, in the queue "
        "where this is highest. Normal: below 100 %. At 100 % jobs wait for a free slot: add workers, or "
        "find out whether jobs take longer than before. Above 100 %, draining workers still run jobs.",
        _worst(shared.RUNNING_PER_SLOT),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=thresholds(GOOD, (1, WARN)),
        whole=True,
        empty="no slots, or rules not loaded",
    ),
    Stat(
        "Workers/minimum",
        "Workers that accept new jobs relative to the queue's minimum, for the worst selected queue. "
        "Normal: 100 % or more. Below it, workers died, drain or were never started: see the dashboard "
        "Workers. A queue without workers for a day counts only while jobs wait.",
        lowest(f"{shared.WORKERS} / ({shared.MINIMUM_IN_SERVICE} > 0)", "queue"),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=thresholds(BAD, (1, GOOD)),
        whole=True,
        empty="no minimum, or rules not loaded",
    ),
    Stat(
        "Run limit used",
        "Run time of the longest running job relative to the queue's limit, for the worst selected queue. "
        "Normal: below 100 %. Above it a job hangs and occupies a slot: the runbook of JobRunningTooLong "
        "describes how to find it.",
        _worst(f"{_LONGEST_RUN} / {gauge('queue_job_duration_limit_seconds')}"),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=share_of_limit(),
        whole=True,
        empty="no queue, or rules not loaded",
    ),
    Stat(
        "Failure limit used",
        "Failure ratio of five minutes relative to the queue's limit, for the worst selected queue. Normal: "
        "below 70 %. Retries of failed jobs take slots from other jobs: the dashboard Actor shows which "
        "exceptions they raise.",
        _worst(f"{shared.FAILURE_RATIO} / {gauge('queue_failure_ratio_limit')}"),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=share_of_limit(),
        whole=True,
        empty="no attempt, or rules not loaded",
    ),
    Stat(
        "Jobs no worker can run",
        "Jobs that no worker runs or fetches: orphaned, stuck, unheld, or delayed and overdue. Normal: 0; "
        "orphaned jobs after a restart return within an hour. The table “Jobs not progressing” shows which "
        "they are.",
        _LOST,
        thresholds=thresholds(GOOD, (1, WARN)),
        empty="no queue, or rules not loaded",
    ),
)

_QUEUE: Final = (
    Label("Fleet", label="fleet"),
    Label(
        "Queue",
        label="queue",
        links=[link("What fails in it?", ACTOR, fleet="Fleet", queue="Queue")],
    ),
)

_QUEUES: Final = Table(
    "Queues",
    "One row for each queue, the one closest to its wait limit first. Normal: nothing coloured, at least as "
    "many completions as arrivals. Click a queue to see what fails in it, its number of workers to see them.",
    [
        *_QUEUE,
        Value(
            "Wait limit used",
            query=shared.WAIT_LIMIT_USED,
            unit="percentunit",
            thresholds=share_of_limit(CLEAR),
            whole=True,
        ),
        Value("Oldest wait", query=shared.OLDEST_WAIT, unit="s"),
        Value("Waiting", query=shared.WAITING),
        Value("Arrivals/s", query=shared.ARRIVALS),
        Value("Completed/s", query=shared.COMPLETIONS),
        Value("Time to drain", query=shared.DRAIN_TIME, unit="s", mappings=[infinite("not shrinking", WARN)]),
        Value(
            "Workers",
            query=shared.WORKERS,
            links=[link("Which workers?", WORKERS, fleet="Fleet", queue="Queue")],
        ),
        Value("Slots", query=shared.SLOTS),
        Value("Running", query=shared.RUNNING),
        Value("Run p95", query=shared.of_queues("job_duration_seconds:p95_rate5m"), unit="s"),
        Value("Failure ratio", query=shared.FAILURE_RATIO, unit="percentunit", whole=True),
    ],
    empty=NO_QUEUE,
    sort="Wait limit used",
    height=7,
)


def _in_state(state: str) -> str:
    return gauge("queue_depth", keep=("queue",), state=state)


_WARN_IF_ANY: Final = thresholds(CLEAR, (1, WARN))
_BAD_IF_ANY: Final = thresholds(CLEAR, (1, BAD))

_STANDSTILL: Final = Table(
    "Jobs not progressing",
    "Jobs that neither wait nor run. Active: fetched and not completed, including running ones. Normal: "
    "nothing coloured. Overdue: no worker fetches delayed jobs. Orphaned: held by a dead worker, they "
    "return by themselves. Stuck: restart the workers. Unheld: lost, follow the runbook of LedgerMismatch. "
    "Inspect dead letters before Dramatiq deletes them.",
    [
        *_QUEUE,
        Value("Active", query=_in_state("active")),
        Value("Delayed", query=_in_state("delayed")),
        Value("Overdue", query=gauge("queue_overdue_delayed_jobs"), thresholds=_WARN_IF_ANY),
        Value("Orphaned", query=gauge("queue_orphaned_jobs"), thresholds=_WARN_IF_ANY),
        Value("Stuck", query=gauge("queue_stuck_jobs"), thresholds=_BAD_IF_ANY),
        Value("Unheld", query=gauge("queue_unheld_jobs"), thresholds=_BAD_IF_ANY),
        Value(
            "Held by draining workers",
            query=gauge("queue_draining_held_jobs"),
            links=[link("Which workers drain?", WORKERS, fleet="Fleet", queue="Queue")],
        ),
        Value("Dead", query=_in_state("dead")),
        Value("Deleted in 24 h", query=gauge("queue_dead_expiring_jobs"), thresholds=_BAD_IF_ANY),
        Value("Oldest dead", query=gauge("queue_dead_oldest_age_seconds"), unit="s"),
    ],
    empty="no queue",
    sort="Dead",
    height=7,
)

QUEUE_BOARD: Final = Board(
    QUEUE,
    "Queue",
    "Why is this queue slow?",
    [*_STATS, _QUEUES, every_alert(height=5), _STANDSTILL],
    ROWS,
)
