"""The board "Capacity": how many workers are needed, for how long those there suffice, and what they cost.

``BY_QUEUE`` queries give one series for each queue of a fleet, the others one for each fleet. A worker of
several queues counts in each of them, so workers and slots by queue do not add up to those of the fleet.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import CAPACITY, QUEUE
from bioagents_alerts.thresholds import AT_CAPACITY
from bioagents_boards import shared
from bioagents_boards.alerts import alerts_of
from bioagents_boards.frame import Board
from bioagents_boards.panels import BY_QUEUE, FLEET, LIMIT, OF_QUEUE, Graph, Stat, Target, Timeline
from bioagents_boards.queries import bottom, gauge, highest, lowest, near_limit, recorded, top
from bioagents_boards.shared import NO_QUEUE, NO_WORKER, of_queues
from bioagents_boards.style import (
    ANY_IS_BAD,
    BAD,
    CLEAR,
    GOOD,
    NEUTRAL,
    WARN,
    infinite,
    thresholds,
    value_text,
)
from bioagents_boards.tables import Label, Table, Value, link

#: A graph with several lines for each queue has this many queues.
_FEW: Final = 4
#: Below this share of the wait limit one job that has just arrived would look like a queue without progress.
_FROM_SHARE: Final = 0.1

#: A graph draws no time above two hours: it would flatten the others.
_SOON: Final = 7200

_NO_QUEUE: Final = "no queue, or rules not loaded"
_NO_WORKER: Final = "no worker, or rules not loaded"
_NOT_COMPLETED: Final = "no job completed, or rules not loaded"
_WAIT_LIMIT: Final = gauge("queue_wait_limit_seconds")

#: How the time until a wait limit is estimated, for the descriptions of its panels.
_ESTIMATE: Final = (
    "Estimated from the age of the oldest waiting job, the number of waiting jobs and the jobs that start "
    "per second over 5 minutes; not while that age shrinks or is below a tenth of its limit. "
    "The estimate assumes that jobs continue to start at this pace."
)

# BY_QUEUE.
_DESIRED: Final = gauge("queue_desired_workers")
_MINIMUM: Final = gauge("queue_min_workers")
_MAXIMUM: Final = gauge("queue_max_workers")
#: Of the running and waiting jobs and the slots that are shown; the exporter's own ratio may be younger.
_LOAD: Final = (
    f"(({shared.RUNNING} + {shared.WAITING}) / ({shared.SLOTS} > 0) "
    f"or Inf * ({shared.WAITING} > 0) or 0 * {shared.WAITING})"
)
#: Where a queue needs what the scaling signal desires: jobs wait, or it has fewer workers than its minimum.
_NEEDED: Final = f"({shared.WAITING} > 0 or {shared.WORKERS} < {shared.MINIMUM_IN_SERVICE})"
#: Workers that a queue in service lacks; below 0, those beyond what is desired.
_SHORTAGE: Final = (
    f"(({_DESIRED} - {shared.WORKERS}) and ({_NEEDED} or {_DESIRED} < {shared.WORKERS}) "
    f"and {shared.MINIMUM_IN_SERVICE} or 0 * {shared.MINIMUM_IN_SERVICE})"
)
#: Where all slots run jobs that do not end, more workers would run more of them.
_HANGING: Final = of_queues("jobs_hanging:seconds")
#: Workers that a queue lacks, -1 where they would not help.
_TO_ADD: Final = f"(0 * {_HANGING} - 1 or clamp_min({_SHORTAGE}, 0))"
_NOTHING_ENDS: Final = value_text("-1", "none: nothing finishes", BAD)


#: The wait is more than one of a job that has just arrived.
_NEAR: Final = f"{shared.OLDEST_WAIT} > {_FROM_SHARE} * {_WAIT_LIMIT}"
#: For five minutes after a gap the rate of starts is too low, although jobs do start.
_KNOWN: Final = gauge("queue_depth", keep=("queue",), state="waiting", ago="5m")
_LEFT: Final = f"({_WAIT_LIMIT} - {shared.OLDEST_WAIT})"


def _of_fleet(how: str, by_queue: str) -> str:
    return f"{how} without (queue) ({by_queue})"


def _growth() -> str:
    """BY_QUEUE: seconds by which the oldest wait grows in a second, where jobs wait.

    The jobs that wait arrived within the wait of the oldest, A. So W of them arrived at W/A per second, and
    where s of them start per second, the head of the queue moves s*A/W seconds of arrivals ahead in each
    second. The oldest wait grows by what is missing to 1 in that.
    """
    starts = of_queues("job_wait_seconds_count:rate5m")
    return f"(1 - ({starts} or 0 * {shared.WAITING}) * {shared.OLDEST_WAIT} / ({shared.WAITING} > 0))"


#: Seconds until the oldest wait reaches its limit, 0 once it has; nothing while that is far or not known.
_TIME_UNTIL_WAIT_LIMIT: Final = (
    f"(clamp_min({_LEFT} <= 0, 0) or {_LEFT} / ({_growth()} > 0) and {_NEAR} and {_KNOWN})"
)


def _first_wait_limit() -> str:
    """In each fleet the time of the queue that reaches its limit first, +Inf where none of them does."""
    not_known = _of_fleet("max", f"{_NEAR} unless {_KNOWN}")
    never = f"Inf + {_of_fleet('max', shared.WAITING)} unless {not_known}"
    return f"{lowest(_TIME_UNTIL_WAIT_LIMIT, 'queue')} or ignoring (queue) {never}"


_COMPLETED_OF_FLEET: Final = f"sum without (queue) ({recorded('queue:bioagents_jobs_completed:rate5m')})"
_IDLE: Final = recorded("fleet:bioagents_worker_slots_free:sum")
_BUSY: Final = recorded("fleet:bioagents_worker_slots:busy_ratio")
_NONE: Final = f"0 * {_of_fleet('max', shared.WORKERS)}"

_STATS: Final = (
    Stat(
        "Workers to add",
        "Workers that the queues should have and do not have: the column “To add” of the table, added up; "
        "one worker may serve several queues. Normal: 0, or some while a scaler starts them. “Nothing "
        "finishes”: the jobs in all slots of a queue hang, and would hang in more slots; see the runbook of "
        "JobsHanging.",
        f"{_of_fleet('sum', f'{_TO_ADD} > 0')} "
        f"or ignoring (queue) {lowest(f'{_TO_ADD} < 0', 'queue')} or ignoring (queue) {_NONE}",
        which=OF_QUEUE,
        thresholds=thresholds(GOOD, (1, WARN)),
        mappings=[_NOTHING_ENDS],
        empty=_NO_QUEUE,
    ),
    Stat(
        "Queues at max",
        "Queues whose jobs wait for slots although they have the maximum of workers. Normal: 0. Otherwise "
        "raise `max-workers` in the exporter's settings, or accept the wait.",
        f"{_of_fleet('count', f'{_LOAD} > 1 and {shared.WORKERS} >= {_MAXIMUM}')} or {_NONE}",
        thresholds=ANY_IS_BAD,
        empty=_NO_QUEUE,
    ),
    Stat(
        "Time until wait limit",
        "Time until the oldest job has waited longer than its limit, of the queue that reaches it first. "
        f"{_ESTIMATE} Normal: no wait near its limit, or hours. Minutes: add workers within that time.",
        _first_wait_limit(),
        which=OF_QUEUE,
        unit="s",
        thresholds=thresholds(BAD, (900, WARN), (3600, GOOD)),
        mappings=[value_text("0", "exceeded", BAD), infinite("not at this pace", GOOD)],
        empty=_NO_QUEUE,
    ),
    Stat(
        "Highest load",
        "Running or waiting jobs for each slot, in the queue where this is highest. Normal: up to 1. Above "
        "1, jobs wait for slots: compare the wait with its limit before you add workers.",
        highest(_LOAD, "queue"),
        which=OF_QUEUE,
        thresholds=thresholds(GOOD, (1.01, WARN)),
        mappings=[infinite("no slots")],
        empty=_NO_QUEUE,
    ),
    Stat(
        "Slots in use",
        "Share of the slots of all workers of the fleet in which a job runs. Normal: between 30 % and 80 %. "
        "From 90 % there is no room for a burst, and WorkersAtCapacity fires if jobs wait: add workers.",
        _BUSY,
        unit="percentunit",
        thresholds=thresholds(GOOD, (0.8, WARN), (AT_CAPACITY, BAD)),
        empty=_NO_WORKER,
    ),
    Stat(
        "Arrival ratio of all queues",
        "Arrivals for each completed job, over 5 minutes in all chosen queues. Normal: near 1. Above 1 the "
        "backlog grows: add workers if it stays. Too low where producers do not load JobMetrics.",
        f"{_of_fleet('sum', shared.ARRIVALS)} / ({_of_fleet('sum', shared.COMPLETIONS)} > 0)",
        thresholds=thresholds(GOOD, (1.1, WARN)),
        empty=_NOT_COMPLETED,
    ),
    Stat(
        "Idle slots",
        "Slots of the fleet in which no job runs now: provisioned but idle. Normal: what a burst needs. "
        "Many for hours: run fewer workers.",
        _IDLE,
        empty=_NO_WORKER,
    ),
    Stat(
        "Worker time/job",
        "Worker time for each completed job: all workers of the fleet divided by completions per second of "
        "all its queues, over 5 minutes. Normal: as last week. It rises when jobs get slower or workers "
        "are idle.",
        f"({shared.ALIVE}) / ({_COMPLETED_OF_FLEET} > 0)",
        unit="s",
        empty=_NOT_COMPLETED,
    ),
)

_NOT_SHRINKING: Final = [infinite("not shrinking")]
_QUEUES: Final = Table(
    "Queues",
    "One row for each queue, the one with the most jobs for each slot first. “To add” is what it lacks of "
    "the desired workers while jobs wait, and of its minimum at any time. Normal: 0 to add, a load up to 1, "
    "as many completions as arrivals, nothing under “Until wait limit”. “Not "
    "shrinking” also appears in a healthy queue that just received a job. Click a queue to find out why it "
    "is slow.",
    [
        Label("Fleet", label="fleet"),
        Label(
            "Queue",
            label="queue",
            links=[link("Why is it slow?", QUEUE, fleet="Fleet", queue="Queue")],
        ),
        Value("Desired", query=_DESIRED),
        Value("Workers", query=shared.WORKERS),
        Value("Maximum", query=_MAXIMUM),
        Value("To add", query=_TO_ADD, thresholds=thresholds(CLEAR, (1, WARN)), mappings=[_NOTHING_ENDS]),
        Value(
            "Load",
            query=_LOAD,
            thresholds=thresholds(CLEAR, (1.01, WARN)),
            mappings=[infinite("no slots")],
        ),
        Value("Slots", query=shared.SLOTS),
        Value("Running/slots", query=shared.RUNNING_PER_SLOT, unit="percentunit", whole=True),
        Value("Arrivals/s", query=shared.ARRIVALS),
        Value("Completed/s", query=shared.COMPLETIONS),
        Value(
            "Until wait limit",
            query=_TIME_UNTIL_WAIT_LIMIT,
            unit="s",
            thresholds=thresholds(BAD, (900, WARN), (3600, CLEAR)),
            mappings=[value_text("0", "exceeded", BAD)],
        ),
        Value("Time to drain", query=shared.DRAIN_TIME, unit="s", mappings=_NOT_SHRINKING),
    ],
    empty=NO_QUEUE,
    sort="Load",
    height=9,
)

# Desired and actual workers. BY_QUEUE.
_MOST_DESIRED: Final = top(f"{_DESIRED} and {shared.MINIMUM_IN_SERVICE}", _FEW)


def _of_most_desired(by_queue: str) -> str:
    return f"({by_queue}) and {_MOST_DESIRED}"


_DESIRED_AND_ACTUAL: Final = Graph(
    "Desired and actual workers",
    f"Workers that a queue should have for its waiting jobs, and those that it has, the {_FEW} queues with "
    "the most desired. Normal: the second follows the first within minutes, if a scaler runs. The dashed "
    "maximum appears above half of it, the dashed minimum while there are no more workers.",
    [
        Target(_MOST_DESIRED, BY_QUEUE + " desired"),
        Target(_of_most_desired(shared.WORKERS), BY_QUEUE + " actual"),
        Target(near_limit(_MOST_DESIRED, _MAXIMUM), BY_QUEUE + " maximum" + LIMIT),
        Target(
            _of_most_desired(f"{_MINIMUM} and {shared.WORKERS} <= {_MINIMUM}"), BY_QUEUE + " minimum" + LIMIT
        ),
    ],
    width=12,
    steps=True,
    empty=NO_QUEUE,
)
_SHORTAGES: Final = Timeline(
    "Worker shortage",
    "For each queue, the workers to add: blue none, orange some, grey more workers than desired; the ten "
    "that lack the most. Normal: blue, orange for minutes. Orange that stays: the scaler is "
    "off or at its maximum, or new workers do not start. Grey that stays: run fewer workers.",
    Target(top(_SHORTAGE), BY_QUEUE),
    thresholds=thresholds(NEUTRAL, (0, GOOD), (1, WARN)),
    width=6,
    empty=NO_QUEUE,
)
_BEFORE: Final = gauge("queue_workers", ago="5m")
_CHANGES: Final = Graph(
    "Workers added and removed",
    "Workers that a queue gained or lost within five minutes, the ten largest changes. Normal: empty, and "
    "a peak when the desired number changes or you deploy. Repeated changes in both directions: give the "
    "scaler a longer pause before it scales down.",
    [
        Target(top(f"{shared.WORKERS} - {_BEFORE} > 0"), BY_QUEUE + " added"),
        Target(top(f"{_BEFORE} - {shared.WORKERS} > 0"), BY_QUEUE + " removed"),
    ],
    width=6,
    steps=True,
    empty="no queue gained or lost a worker, or the rules are not loaded",
)

# Load.
_LOADS: Final = Graph(
    "Load by queue",
    "Running or waiting jobs for each slot, top 10 queues. Normal: up to 1. Above 1, jobs wait for slots: "
    "add workers if the wait nears its limit. A queue with jobs and without slots has no line; the table "
    "shows it.",
    [Target(top(f"{_LOAD} < Inf"), BY_QUEUE)],
    empty=NO_QUEUE,
)
_IN_USE: Final = Graph(
    "Running/slots by queue",
    "Running jobs of a queue relative to its slots, top 10; and of all queues to all slots. Normal: between "
    "30 % and 80 %. 100 % for long: more workers help. Low while jobs wait: they do not, unless its workers "
    "run jobs of other queues. Above 100 %, draining workers still run jobs.",
    [Target(top(shared.RUNNING_PER_SLOT), BY_QUEUE), Target(_BUSY, FLEET + " all slots")],
    unit="percentunit",
    empty=NO_WORKER,
)

# Forecast.
_UNTIL_LIMIT: Final = Graph(
    "Time until wait limit by queue",
    "Time until a queue's oldest job has waited longer than its limit, the ten shortest, none above two "
    f"hours. {_ESTIMATE} Normal: empty. A line that falls by a minute each minute is reliable: add workers "
    "before it reaches 0.",
    [Target(bottom(f"{_TIME_UNTIL_WAIT_LIMIT} < {_SOON}"), BY_QUEUE)],
    unit="s",
    empty="no wait near its limit, or the rules are not loaded",
)

# Cost. Grafana knows no prices: multiply by yours.
_SLOT_HOURS: Final = Graph(
    "Slot-hours per hour",
    "Slots of the fleet that are provisioned, and those in which a job runs: each is as many slot-hours per "
    "hour. Normal: the difference is what a burst needs. A large one for hours: run fewer workers. None: "
    "jobs wait.",
    [
        Target(shared.SLOTS_OF_FLEET, FLEET + " provisioned"),
        Target(f"{shared.SLOTS_OF_FLEET} - {_IDLE}", FLEET + " in use"),
    ],
    empty=NO_WORKER,
)
_WORKER_TIME: Final = Graph(
    "Worker time per job by queue",
    "Worker time for each completed job of a queue, over 5 minutes, top 10. A worker of several queues "
    "counts in each. Normal: as last week. It rises when jobs get slower, or when fewer arrive and the "
    "workers stay.",
    [Target(top(f"{shared.WORKERS} / ({shared.COMPLETIONS} > 0)"), BY_QUEUE)],
    unit="s",
    empty="no job completed, or the rules are not loaded",
)
_CPU_TIME: Final = Graph(
    "Processor time per job",
    "Processor time of all workers for each completed job of any queue. Normal: as last week. Far below the "
    "worker time: jobs wait for other services (models, databases), and more threads cost less than more "
    "workers.",
    [Target(f"{recorded('fleet:bioagents_worker_cpu_seconds:rate5m')} / ({_COMPLETED_OF_FLEET} > 0)")],
    unit="s",
    empty="no job completed, or the rules are not loaded",
)

CAPACITY_BOARD: Final = Board(
    CAPACITY,
    "Capacity",
    "How many workers do I need, and how long until jobs wait too long?",
    [*_STATS, _QUEUES, alerts_of(CAPACITY)],
    {
        "Scaling": [_DESIRED_AND_ACTUAL, _SHORTAGES, _CHANGES],
        "Worker capacity": [_LOADS, _IN_USE, shared.arrivals_and_completions(8)],
        "Forecast": [_UNTIL_LIMIT, shared.oldest_wait("on the dashboard Queue"), shared.time_to_drain(8)],
        "Cost": [_SLOT_HOURS, _WORKER_TIME, _CPU_TIME],
    },
)
