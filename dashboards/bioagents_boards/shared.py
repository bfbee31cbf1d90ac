"""Queries and panels that several boards use.

A comment such as ``BY_QUEUE`` names the labels of a result's series: one series for each queue of a fleet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bioagents_alerts.thresholds import THRESHOLDS
from bioagents_boards.panels import (
    BY_ACTOR,
    BY_EXCEPTION,
    BY_QUEUE,
    BY_WORKER,
    FLEET,
    LIMIT,
    Graph,
    Stat,
    Target,
)
from bioagents_boards.queries import (
    gauge,
    near_limit,
    over_copies,
    rate,
    recorded,
    selector,
    top,
)
from bioagents_boards.style import ANY_IS_BAD, ATTEMPTS, BAD, GOOD, JOBS, UP, UP_OR_DOWN, thresholds

#: Texts for the case without data.
NO_EXPORTER: Final = "no exporter"
NO_FLEET: Final = "no exporter, or rules not loaded"
NO_QUEUE: Final = "no queue, or the rules are not loaded"
NO_JOB: Final = "no job, or the rules are not loaded"
NO_WORKER: Final = "no worker, or the rules are not loaded"
NO_FAILURE: Final = "nothing failed, or the rules are not loaded"

#: What a worker is, besides its id.
FACTS: Final = "host, pid, queues, version"


def of_queues(series: str) -> str:
    """What the rules record of each queue, one series for each."""
    return recorded(f"queue:bioagents_{series}", "queue")


def of_actors(series: str, ago: str = "") -> str:
    """By queue and actor: what the rules record of each actor; ``ago`` (as ``1d``) of that time before."""
    return recorded(f"actor:bioagents_{series}", "queue", "actor", ago=ago)


def of_workers(series: str) -> str:
    """What the rules record of each worker of a chosen queue, with host, pid and queues.

    The rules join the names once: joining them at each step of a graph of 1,000 workers costs ten times more.
    """
    return recorded(f"worker:bioagents_worker_{series}", "worker", "queues")


def by_id(by_worker: str) -> str:
    """By worker alone, as most metrics of workers are."""
    return f"max without (host, pid, queues) ({by_worker})"


def begins(alert: str) -> float:
    """The threshold of an alert, as the rules ship."""
    return THRESHOLDS[alert].default


# Queues: one series for each.
WAITING: Final = of_queues("jobs_waiting:max")
OLDEST_WAIT: Final = gauge("queue_oldest_job_age_seconds")
WAIT_LIMIT_USED: Final = f"{OLDEST_WAIT} / {gauge('queue_wait_limit_seconds')}"
WORKERS: Final = gauge("queue_workers")
#: The minimum of workers, of queues with workers now or within a day, or with waiting jobs.
MINIMUM_IN_SERVICE: Final = of_queues("queue_min_workers:in_service")
SLOTS: Final = gauge("queue_slots")
RUNNING: Final = gauge("queue_running_jobs")
#: More than 1 while workers drain. A worker of several queues has its slots in each of them.
RUNNING_PER_SLOT: Final = f"{RUNNING} / ({SLOTS} > 0)"
#: Share of the attempts of five minutes that raised; nothing without attempts.
FAILURE_RATIO: Final = gauge("queue_failure_ratio")
#: Per second. Completed: succeeded, dead or skipped.
ARRIVALS: Final = of_queues("jobs_enqueued:rate5m")
COMPLETIONS: Final = of_queues("jobs_completed:rate5m")
#: Nothing where neither happens, +Inf where jobs only arrive.
ARRIVAL_RATIO: Final = f"{ARRIVALS} / {COMPLETIONS} >= 0"
#: Waiting jobs, of queues that have more of them than slots: others start all of them with their next jobs.
BACKLOG: Final = f"({WAITING} > {SLOTS})"


def _drain_time() -> str:
    """Seconds until no job waits; +Inf where a backlog does not shrink, nothing where it is none.

    By the arrivals and completions that boards show next to it. Where no producer counts its jobs, what the
    exporter knows is by how much the queue became shorter.
    """
    counted = f"max without (actor, wire) ({over_copies(selector('jobs_enqueued_total'))}) > 0"
    pace = f"({COMPLETIONS} - {ARRIVALS})"
    by_rates = f"0 * ({WAITING} == 0) or {WAITING} / ({pace} > 0) or Inf * ({BACKLOG} and {pace} <= 0)"
    by_length = gauge("queue_drain_seconds")
    uncounted = f"({by_length} < Inf or {by_length} and {BACKLOG}) unless {counted}"
    return f"((({by_rates}) and {counted}) or {uncounted})"


DRAIN_TIME: Final = _drain_time()

# Fleets: one series for each.
SLOTS_OF_FLEET: Final = recorded("fleet:bioagents_worker_slots:sum")
RUNNING_OF_FLEET: Final = recorded("fleet:bioagents_worker_running_jobs:sum")
MISSING: Final = gauge("workers_missing")
FAILURES_PER_SECOND: Final = f"sum without (queue, actor) ({of_actors('job_failures:rate5m')})"

#: 0 for each fleet whose Redis is readable.
NO_WORKERS: Final = f"0 * ({gauge('redis_up')} == 1)"
_LIVING: Final = f"sum without (host) ({recorded('host:bioagents_workers:count')})"
#: Workers with a fresh heartbeat, draining ones included, whichever queue is chosen.
ALIVE: Final = f"{_LIVING} or {NO_WORKERS}"
_TAKING_JOBS: Final = (
    f"sum without (queues, version, threads) ({recorded('role:bioagents_worker_info:count')})"
)
#: Workers that finish their jobs and then stop, or that lost all their threads.
DRAINING: Final = f"{_LIVING} - ({_TAKING_JOBS} or 0 * {_LIVING}) or {NO_WORKERS}"

# Workers.
#: By worker: resident bytes, and their share of its memory limit; nothing without a limit.
MEMORY: Final = by_id(of_workers("memory_rss_bytes:max"))
MEMORY_SHARE: Final = by_id(of_workers("memory:ratio"))
#: By worker and FACTS: always 1. One for each worker: copies that disagree for a moment would break a join.
WORKER_FACTS: Final = (
    f"topk without ({FACTS}) (1, {gauge('worker_info', keep=('worker', *FACTS.split(', ')), how='max')})"
)


def described(by_worker: str) -> str:
    """The same with FACTS. Only these know a worker's queues, so the variable ``queue`` chooses here."""
    return f"{by_worker} * ignoring ({FACTS}) group_left ({FACTS}) {WORKER_FACTS}"


def starts_by_host() -> str:
    """By host: workers that started in the time before each point, which is some scrapes or longer.

    The difference of two totals: ``increase`` extrapolates, and three starts would be four. A host that is
    new, as every pod is, and a counter that began again have no total before; what they have counts where
    the exporter already read Redis then.
    """
    boots = selector("worker_boots_total")
    now, before = (over_copies(f"{boots}{ago}") for ago in ("", " offset $__rate_interval"))
    known = f"{gauge('redis_up', ago='$__rate_interval')} == 1"
    began = f"{now} and ignoring (host, wire) {known}"
    return f"sum without (wire) ({now} - {before} >= 0 or {began})"


def quantiles(of: Callable[[str], str], histogram: str, percents: Sequence[int], legend: str) -> list[Target]:
    """The highest series of each percentile; ``of`` makes a query from the name of a recorded series."""
    return [
        Target(top(of(f"{histogram}_seconds:p{percent}_rate5m")), f"{legend} p{percent}")
        for percent in percents
    ]


# Panels.


def redis_up() -> Stat:
    """Whether an exporter can read Redis."""
    return Stat(
        "Redis",
        "Whether an exporter can read the fleet's Redis. Normal: up. While it is down, all other numbers are "
        "missing. Start Redis, or fix the network or the password.",
        gauge("redis_up"),
        unit="bool_on_off",
        thresholds=UP,
        mappings=UP_OR_DOWN,
        empty=NO_FLEET,
    )


def workers_alive() -> Stat:
    """How many workers have a fresh heartbeat."""
    return Stat(
        "Workers alive",
        "Workers with a fresh heartbeat, including draining ones. Normal: as many as you started. Red at 0: "
        "no job runs; start workers.",
        ALIVE,
        thresholds=UP,
        empty=NO_FLEET,
    )


def failures_per_second(find: str) -> Stat:
    """Failed attempts of all chosen queues; ``find`` is where to find their exceptions."""
    return Stat(
        "Failures",
        "Failed attempts per second; each retry of a job counts. Normal: near 0. Red from 0.1 per second: "
        f"HighJobFailureRate fires there if all are in one queue. {find}",
        FAILURES_PER_SECOND,
        unit=ATTEMPTS,
        thresholds=thresholds(GOOD, (begins("HighJobFailureRate"), BAD)),
        empty="no job, or rules not loaded",
    )


def waiting_jobs(width: int) -> Graph:
    """The backlog of each queue."""
    longest = top(WAITING)
    return Graph(
        "Waiting jobs by queue",
        "Jobs that wait in Redis, top 10 queues. Normal: below the dashed limit, which appears above half "
        "of it. A line that rises for minutes: the workers do not keep up; see arrivals and completions.",
        [
            Target(longest, BY_QUEUE),
            Target(near_limit(longest, gauge("queue_depth_limit")), BY_QUEUE + LIMIT),
        ],
        width=width,
        empty=NO_QUEUE,
    )


def arrivals_and_completions(width: int) -> Graph:
    """Whether workers keep up."""
    return Graph(
        "Arrivals and completions",
        "Jobs per second that were enqueued, and that completed (succeeded, dead or skipped), over five "
        "minutes, top 10 queues. Normal: equal over some minutes. Arrivals that rise are a burst; "
        "completions that fall mean slow jobs or lost workers. Producers without JobMetrics are not counted.",
        [
            Target(top(ARRIVALS), BY_QUEUE + " arrivals"),
            Target(top(COMPLETIONS), BY_QUEUE + " completions"),
        ],
        unit=JOBS,
        width=width,
        empty=NO_JOB,
    )


def oldest_wait(cause: str) -> Graph:
    """How long the oldest waiting job has been ready; ``cause`` is where to find what slows a queue down."""
    longest = top(OLDEST_WAIT)
    return Graph(
        "Oldest wait by queue",
        "How long the oldest waiting job has been ready to run, top 10 queues. Normal: below the dashed "
        f"limit, which appears above half of it. Above the limit: add workers, or find the cause {cause}. No "
        "line: its messages are not JSON, or are larger than 64 KB (queue_unreadable_messages).",
        [
            Target(longest, BY_QUEUE),
            Target(near_limit(longest, gauge("queue_wait_limit_seconds")), BY_QUEUE + LIMIT),
        ],
        unit="s",
        empty=NO_QUEUE,
    )


def time_to_drain(width: int) -> Graph:
    """How long backlogs last at the present pace; almost endless ones would flatten all others."""
    limit = gauge("queue_drain_limit_seconds")
    times = top(f"{DRAIN_TIME} < 5 * {limit}")
    return Graph(
        "Time to drain by queue",
        "Seconds until no job waits at the pace of five minutes, top 10. A gap: the backlog does not shrink, "
        "or takes more than five times the limit. Normal: below the dashed limit, which appears above half "
        "of it, and no long gaps. Above the limit: add workers.",
        [Target(times, BY_QUEUE), Target(near_limit(times, limit), BY_QUEUE + LIMIT)],
        unit="s",
        width=width,
        empty="no backlog shrinks, or the rules are not loaded",
    )


def failures_by_exception(width: int) -> Graph:
    """Which exceptions actors raise."""
    failures = top(recorded("exception:bioagents_job_failures:rate5m", "queue", "actor"))
    return Graph(
        "Failures by exception",
        "Failed attempts per second, top 10 by actor and class of exception. Normal: empty. One line that "
        "rises is a bug or one broken dependency; many at once are the network or Redis.",
        [Target(f"{failures} > 0", BY_EXCEPTION)],
        unit=ATTEMPTS,
        width=width,
        empty=NO_FAILURE,
    )


def attempts_by_actor(width: int) -> Graph:
    """Throughput, whatever the outcome."""
    return Graph(
        "Attempts by actor",
        "Attempts per second that ended, failed ones included, top 10 actors. Normal: as last week. One "
        "that falls while others do not is slow or fails; one that rises takes slots from the others.",
        [Target(top(f"sum without (queue) ({of_actors('job_attempts:rate5m')})"), BY_ACTOR)],
        unit=ATTEMPTS,
        width=width,
        empty=NO_JOB,
    )


def retries_by_queue() -> Graph:
    """Jobs that are tried again."""
    return Graph(
        "Retries by queue",
        "Retries per second over five minutes, top 10 queues. Normal: near 0. If retries equal completions, "
        "half of all attempts fail. Many more than failures: actors postpone jobs themselves (Retry, rate "
        "limits).",
        [Target(top(of_queues("job_retries:rate5m")), BY_QUEUE)],
        unit=JOBS,
        empty=NO_JOB,
    )


def dead_letters() -> Graph:
    """Dead letters in Redis, and those that Dramatiq deletes soon."""
    return Graph(
        "Dead letters",
        "Jobs that failed permanently and that Dramatiq still keeps, and how many of them it deletes within "
        "24 hours. Normal: 0. Read the exceptions of their actors; inspect those that will be deleted first.",
        [
            Target(top(gauge("queue_depth", keep=("queue",), state="dead")), BY_QUEUE),
            Target(top(f"{gauge('queue_dead_expiring_jobs')} > 0"), BY_QUEUE + " deleted within 24 h"),
        ],
        thresholds=ANY_IS_BAD,
        empty=NO_QUEUE,
    )


def redeliveries_by_actor(width: int) -> Graph:
    """Jobs that ran again because their worker went missing."""
    return Graph(
        "Redeliveries by actor",
        "Attempts per second of jobs whose worker went missing while it ran them, top 10 actors. Normal: "
        "empty, and a few after a crash. The same actor again and again: its job kills the workers; follow "
        "the runbook of PoisonJob.",
        [Target(top(f"{rate('jobs_redelivered_total', keep=('actor',))} > 0"), BY_ACTOR)],
        unit=ATTEMPTS,
        width=width,
        empty="no job was redelivered",
    )


def workers_by_version(width: int) -> Graph:
    """The versions of the application that run."""
    by_version = f"sum without (queues, threads) ({recorded('role:bioagents_worker_info:count', 'queues')})"
    return Graph(
        "Workers by version",
        "Workers that take jobs, by the version of the application. Normal: one line; during a deployment "
        "one falls while the other rises. Two level lines: a deployment that stopped halfway; finish it or "
        "roll it back.",
        [
            Target(
                f'label_replace({by_version}, "version", "unnamed", "version", "")',
                FLEET + " version {{version}}",
            )
        ],
        width=width,
        empty=NO_WORKER,
    )


def memory_of_workers() -> Graph:
    """The largest workers and their limits."""
    largest = top(of_workers("memory_rss_bytes:max"))
    return Graph(
        "Memory of workers",
        "Resident memory of the ten largest workers; the dashed limit (of the control group or the host) "
        "appears above half of it. Normal: level after the first jobs. A steady climb is a leak. Steps that "
        "persist mean jobs keep data in memory; at the limit the kernel kills the worker.",
        [
            Target(largest, BY_WORKER),
            Target(f"{of_workers('memory_limit_bytes:near')} and {largest}", BY_WORKER + LIMIT),
        ],
        unit="bytes",
        empty=NO_WORKER,
    )
