"""The board "Queue": its graphs, by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bioagents_alerts.boards import ACTOR, WORKERS
from bioagents_boards import shared
from bioagents_boards.panels import (
    BY_ACTOR,
    BY_EXCEPTION,
    BY_QUEUE,
    FLEET,
    LIMIT,
    Graph,
    Heatmap,
    Panel,
    Target,
)
from bioagents_boards.queries import bottom, gauge, near_limit, one_fleet_alone, recorded, top
from bioagents_boards.shared import NO_JOB, NO_QUEUE
from bioagents_boards.style import ANY_IS_BAD, JOBS
from bioagents_boards.tables import Label, Table, Value, link

_NO_HEATMAP: Final = "no job, the rules are not loaded, or several fleets are chosen: choose one"


def _quantiles(title: str, of: str, attempts: str, meaning: str) -> Graph:
    return Graph(
        f"{title} quantiles",
        f"p50, p95 and p99, estimated from the histogram of {attempts} attempts, top 10 queues. {meaning}",
        shared.quantiles(shared.of_queues, f"job_{of}", (99, 95, 50), BY_QUEUE),
        unit="s",
        empty=NO_JOB,
    )


def _heatmap(title: str, description: str, of: str) -> Heatmap:
    buckets = f"sum without (queue) ({shared.of_queues(f'job_{of}_seconds_bucket:rate5m')})"
    return Heatmap(title, description, one_fleet_alone(buckets), width=8, empty=_NO_HEATMAP)


# Arrivals and completions.
_STATES: Final = Graph(
    "Jobs by state",
    "The jobs of all chosen queues, stacked: waiting, active (fetched and not completed), delayed, dead. "
    "Normal: as last week. Active jobs while none runs: workers lost them. Delayed jobs that increase: "
    "retries.",
    [Target(gauge("queue_depth", keep=("state",)), FLEET + " {{state}}")],
    width=6,
    stacked=True,
    empty="no queue",
)
_ARRIVALS_BY_ACTOR: Final = Graph(
    "Arrivals by actor",
    "Jobs per second that were enqueued, over five minutes, top 10 actors. Normal: as last week. One that "
    "rises alone is the source of a burst. Producers without JobMetrics are not counted.",
    [Target(top(f"sum without (queue) ({shared.of_actors('jobs_enqueued:rate5m')})"), BY_ACTOR)],
    unit=JOBS,
    width=6,
    empty="no producer with JobMetrics has reported yet, or the rules are not loaded",
)

# Worker capacity.
_RUNNING: Final = Graph(
    "Running jobs and slots",
    "Running jobs, and the living threads that can run one (dashed), top 10 queues. Normal: running stays "
    "below slots. When they are equal, jobs wait for a free slot: add workers.",
    [
        Target(top(shared.RUNNING), BY_QUEUE + " running"),
        Target(top(shared.SLOTS), BY_QUEUE + " slots" + LIMIT),
    ],
    empty=NO_QUEUE,
)
_WORKERS: Final = Graph(
    "Workers by queue",
    "Living workers that do not drain, top 10 queues. Normal: a constant number. The dashed minimum appears "
    "where a queue has fewer: start workers, or see the dashboard Workers for missing ones.",
    [
        Target(top(shared.WORKERS), BY_QUEUE),
        Target(top(f"{shared.MINIMUM_IN_SERVICE} > {shared.WORKERS}"), BY_QUEUE + " minimum" + LIMIT),
    ],
    empty=NO_QUEUE,
)
_DRAINING: Final = Graph(
    "Draining workers",
    "Workers that are stopping, and the jobs that they still hold, running or not. Normal: only while "
    "you deploy. Jobs that they hold and do not run return to the queue when they stop.",
    [
        Target(top(f"{gauge('queue_draining_workers')} > 0"), BY_QUEUE + " workers"),
        Target(top(f"{gauge('queue_draining_held_jobs')} > 0"), BY_QUEUE + " jobs held"),
    ],
    empty="no worker drains",
)

# Run time.
_LONGEST_RUNS: Final = top(gauge("queue_longest_running_job_seconds"))
_LONGEST_RUN: Final = Graph(
    "Longest running job",
    "For how long the longest running job has been running, top 10 queues. Normal: it falls repeatedly and "
    "stays below the dashed limit, which appears above half of it. A line that only climbs is a long job or "
    "one that hangs: follow the runbook of JobRunningTooLong.",
    [
        Target(_LONGEST_RUNS, BY_QUEUE),
        Target(near_limit(_LONGEST_RUNS, gauge("queue_job_duration_limit_seconds")), BY_QUEUE + LIMIT),
    ],
    unit="s",
    empty=NO_QUEUE,
)

#: With the names of the workers, which these series lack.
_LONGEST_OF_WORKERS: Final = (
    f"{gauge('worker_longest_running_job_seconds')} * ignoring (queue, actor, {shared.FACTS}) "
    f"group_left ({shared.FACTS}) {shared.WORKER_FACTS}"
)
_LONG_RUNNING: Final = Table(
    "Long-running jobs",
    "The job of each actor that has been running longest in each worker, the ten longest of those that run "
    "for more than a minute. Normal: what such jobs usually take (“Run time quantiles”). Jobs that should "
    "have ended long ago hang: find out what this process waits for, then restart it. Click an id to see "
    "that worker alone.",
    [
        Label("Fleet", label="fleet"),
        Label("Queue", label="queue"),
        Label(
            "Actor",
            label="actor",
            links=[link("What fails in it?", ACTOR, fleet="Fleet", queue="Queue", actor="Actor")],
        ),
        Label("Host", label="host"),
        Label("Process", label="pid", width=80),
        Label("Version", label="version"),
        Value("Running for", query=top(_LONGEST_OF_WORKERS), unit="s"),
        Label("Id", label="worker", links=[link("This worker alone", WORKERS, fleet="Fleet", worker="Id")]),
    ],
    empty="no job has been running for a minute, or the rules are not loaded",
    sort="Running for",
    hide=("queues",),
    height=6,
)
_LAST_STARTS: Final = Table(
    "Last starts",
    "When a worker of each queue started last, by the version of the application, the ten latest. Normal: "
    "the time of your last deployment. A fault that began with such a start came with it: roll back first.",
    [
        Label("Fleet", label="fleet"),
        Label("Queue", label="queue"),
        Label("Version", label="version"),
        Value(
            "Last start", query=bottom(f"time() - {gauge('queue_last_worker_start_time_seconds')}"), unit="s"
        ),
    ],
    empty="no worker, or the rules are not loaded",
    sort="Last start",
    highest_first=False,
    height=6,
)

# Delayed and lost jobs.


def _any(kind: str) -> str:
    return top(f"{gauge(f'queue_{kind}_jobs')} > 0")


_DELAYED: Final = Graph(
    "Delayed jobs",
    "Jobs sent with a delay or scheduled for a retry, top 10 queues; and those whose time has passed, from "
    "a sample. Normal: none overdue. Overdue jobs: no worker fetches them, its consumer of delayed jobs is "
    "dead or full; restart the workers of that queue.",
    [
        Target(top(gauge("queue_depth", keep=("queue",), state="delayed")), BY_QUEUE),
        Target(_any("overdue_delayed"), BY_QUEUE + " overdue"),
    ],
    empty="no queue",
)
_LOST: Final = Graph(
    "Orphaned, stuck and unheld jobs",
    "Orphaned: held by a dead worker. Stuck: assigned to a living worker that lost them. Unheld: assigned to "
    "none. Read in the background, so some minutes old. Normal: empty. Orphaned jobs return within an hour, "
    "stuck ones when their worker restarts, unheld ones never: follow the runbook of LedgerMismatch.",
    [Target(_any(kind), f"{BY_QUEUE} {kind}") for kind in ("orphaned", "stuck", "unheld")],
    thresholds=ANY_IS_BAD,
    empty="no job is lost",
)

# Failures and dead letters.
_FAILURE_RATIOS: Final = top(shared.FAILURE_RATIO)
_FAILURE_RATIO: Final = Graph(
    "Failure ratio",
    "Share of the attempts of five minutes that failed, top 10 queues. A gap: no attempts. Normal: below "
    "the dashed limit, which appears above half of it. Above the limit: the dashboard Actor shows which "
    "exceptions the jobs raise.",
    [
        Target(_FAILURE_RATIOS, BY_QUEUE),
        Target(near_limit(_FAILURE_RATIOS, gauge("queue_failure_ratio_limit")), BY_QUEUE + LIMIT),
    ],
    unit="percentunit",
    empty="no attempt in five minutes",
)
_DEAD_BY_CAUSE: Final = Graph(
    "Dead letters by cause",
    "Jobs per second that became dead letters, over five minutes, by actor, and the exceptions per second "
    "that these actors raised at the same time: counts cannot name the cause more exactly. Normal: empty. A "
    "dead letter without an exception was too old, or no worker knew its actor.",
    [
        Target(top(f"sum without (queue) ({shared.of_actors('jobs_dead:rate5m')}) > 0"), BY_ACTOR + " dead"),
        Target(
            top(recorded("exception:bioagents_jobs_dead:rate5m_raised", "queue", "actor")),
            BY_EXCEPTION + " raised",
        ),
    ],
    unit=JOBS,
    empty="no job became a dead letter, or the rules are not loaded",
)
_OLDEST_DEAD: Final = Graph(
    "Oldest dead letter",
    "How long ago the oldest dead letter failed permanently, top 10 queues. Normal: empty. Dramatiq deletes "
    "it after its time (7 days unless you set another) without a trace: inspect it before.",
    [Target(top(f"{gauge('queue_dead_oldest_age_seconds')} > 0"), BY_QUEUE)],
    unit="s",
    empty="no dead letter, or the rules are not loaded",
)

ROWS: Final[Mapping[str, Sequence[Panel]]] = {
    "Do arrivals exceed completions?": [
        shared.arrivals_and_completions(12),
        shared.waiting_jobs(12),
        shared.time_to_drain(6),
        _STATES,
        _ARRIVALS_BY_ACTOR,
        shared.attempts_by_actor(6),
    ],
    "Worker capacity": [_RUNNING, _WORKERS, _DRAINING, _LAST_STARTS],
    "Wait time": [
        shared.oldest_wait("in the rows above and below"),
        _quantiles(
            "Wait time",
            "wait",
            "started",
            "Over five minutes, without delays and the back-off of retries. "
            "Normal: as last week. All lines rise: too few slots. Only p99 rises: jobs waited behind long "
            "ones.",
        ),
        _heatmap(
            "Wait time of all jobs",
            "Distribution of wait times, in attempts per second over five minutes; lighter is more. Normal: "
            "one strong band that stays low. A band that climbs is a backlog; two bands are two kinds of "
            "queues: choose one.",
            "wait",
        ),
    ],
    "Run time": [
        _LONGEST_RUN,
        _quantiles(
            "Run time",
            "duration",
            "ended",
            "Over five minutes. Normal: as last week. All lines rise: a dependency of the jobs has become "
            "slow; the dashboard Actor shows which actor it is.",
        ),
        _heatmap(
            "Run time of all jobs",
            "Distribution of run times, in attempts per second over five minutes; lighter is more. Normal: "
            "the same bands as last week. A new band above is a new kind of job or a slow dependency; one "
            "at a round number is a timeout.",
            "duration",
        ),
        _LONG_RUNNING,
    ],
    "Delayed and lost jobs": [_DELAYED, _LOST, shared.redeliveries_by_actor(8)],
    "Failures and retries": [_FAILURE_RATIO, shared.failures_by_exception(8), shared.retries_by_queue()],
    "Dead letters and their causes": [shared.dead_letters(), _DEAD_BY_CAUSE, _OLDEST_DEAD],
}
