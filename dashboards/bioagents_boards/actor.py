"""The board "Actor": which actors fail, how, since when, and what follows from it."""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import ACTOR, QUEUE, WORKERS
from bioagents_boards import shared
from bioagents_boards.alerts import alerts_of, firing_for
from bioagents_boards.frame import Board
from bioagents_boards.panels import (
    BY_ACTOR,
    FLEET,
    OF_ACTOR,
    OF_ALERT,
    Graph,
    Heatmap,
    Stat,
    Target,
    Timeline,
)
from bioagents_boards.queries import gauge, highest, one_fleet_alone, rate, recorded, top, unnamed
from bioagents_boards.shared import NO_FAILURE, NO_JOB, of_actors
from bioagents_boards.style import (
    ANY_RATE_IS_BAD,
    ATTEMPTS,
    BAD,
    CLEAR,
    GOOD,
    JOBS,
    WARN,
    share_of_limit,
    thresholds,
)
from bioagents_boards.tables import Label, Table, Value, link

#: A table has at most this many lines of actors.
LISTED: Final = 50
#: So many actors are compared with their past: each has three lines.
_COMPARED: Final = 5
#: So many attempts within five minutes make a percentile that can be compared.
_ENOUGH: Final = 20

_NO_JOB: Final = "no job, or rules not loaded"
_NO_ATTEMPT: Final = "no attempt has ended, or the rules are not loaded"
_P95: Final = "job_duration_seconds:p95_rate5m"
_RATIO: Final = "job_failures:ratio_rate5m"


def _together(series: str) -> str:
    """Of all chosen actors, one number for each fleet."""
    return f"sum without (queue, actor) ({of_actors(series)})"


def _worst_queue(series: str, ago: str = "") -> str:
    """BY_ACTOR: the highest of the queues in which an actor works."""
    return f"max without (queue) ({of_actors(series, ago)})"


#: By queue and actor: the share of its queue's failure limit that it uses.
_FAILURE_LIMIT_USED: Final = (
    f"{of_actors(_RATIO)} / ignoring (actor) group_left () {gauge('queue_failure_ratio_limit')}"
)


def _slowdown() -> str:
    """95th percentile of the run time to that of a day before, of the actor that slowed down most."""
    now, before = of_actors(_P95), of_actors(_P95, "1d")
    enough = f"{of_actors('job_attempts:rate5m')} > {_ENOUGH / 300:.2g}"
    return highest(f"{now} / ({before} > 0) and {enough}", "queue", "actor")


_STATS: Final = (
    Stat(
        "Alert since",
        "For how long the condition of the oldest firing alert of this dashboard has been true, in the "
        "chosen queues. Normal: none fires. If too few attempts fail for an alert, the bars below show when "
        "failures began.",
        firing_for(ACTOR),
        which=OF_ALERT,
        unit="s",
        thresholds=thresholds(BAD),
        empty="none fires, or rules not loaded",
    ),
    Stat(
        "Failing actors",
        "Actors that raise exceptions now. Normal: 0. One actor: a bug, or a dependency that only it uses. "
        "Many at once: the network, Redis or a service that they share.",
        f"sum without (actor) ({_worst_queue('job_failures:rate5m')} > bool 0)",
        thresholds=thresholds(GOOD, (1, WARN)),
        empty=_NO_JOB,
    ),
    Stat(
        "Failure limit used",
        "Failure ratio of five minutes relative to the queue's limit, for the worst selected actor. Normal: "
        "below 70 %. Above 100 %: look up the exceptions of the table below in the workers' logs.",
        highest(_FAILURE_LIMIT_USED, "queue", "actor"),
        which=OF_ACTOR,
        unit="percentunit",
        thresholds=share_of_limit(),
        whole=True,
        empty="no attempt, or rules not loaded",
    ),
    shared.failures_per_second("The table “Current exceptions” shows the exceptions."),
    Stat(
        "Retried attempts",
        "Share of the attempts of the chosen actors that ended in a retry, because they failed or because an "
        "actor postponed the job. Normal: a few percent. JobRetryStorm fires for a queue above 50 % that "
        "failures do not explain: see the rate limits of its actors.",
        f"{_together('job_retries:rate5m')} / ({_together('job_attempts:rate5m')} > 0)",
        unit="percentunit",
        thresholds=thresholds(GOOD, (0.2, WARN)),
        whole=True,
        empty="no attempt, or rules not loaded",
    ),
    Stat(
        "New dead letters",
        "Jobs per second that failed permanently. Normal: 0. Dramatiq keeps them for seven days: find the "
        "cause, then enqueue those that still matter again.",
        _together("jobs_dead:rate5m"),
        unit=JOBS,
        thresholds=ANY_RATE_IS_BAD,
        empty=_NO_JOB,
    ),
    Stat(
        "Redelivered",
        "Attempts per second of jobs whose worker went missing while it ran them. Normal: 0, and a few "
        "after a crash. Repeatedly: a job that kills its workers; follow the runbook of PoisonJob.",
        rate("jobs_redelivered_total"),
        unit=ATTEMPTS,
        thresholds=ANY_RATE_IS_BAD,
        empty="no job",
    ),
    Stat(
        "Run time vs. 1 d",
        "The 95th percentile of the run time relative to that of a day before, for the actor that slowed "
        "down most; actors with fewer than 20 attempts in five minutes do not count. Normal: near 100 %. "
        "Far above: a dependency of the actor has become slow, or its jobs have grown.",
        _slowdown(),
        which=OF_ACTOR,
        unit="percentunit",
        thresholds=thresholds(GOOD, (1.5, WARN), (3, BAD)),
        whole=True,
        empty="too few, or rules not loaded",
    ),
)

_TIMELINE: Final = Timeline(
    "Failing actors over time",
    "A bar for each of the ten actors that failed most at a moment, over five minutes each: blue below 70 "
    "% of its queue's failure limit, orange near it, red above. Normal: empty, or short blue bars. Compare "
    "the start of a bar with the deployments in the graphs below.",
    Target(top(f"{_FAILURE_LIMIT_USED} > 0"), BY_ACTOR),
    unit="percentunit",
    thresholds=share_of_limit(),
    width=8,
    height=9,
    empty=NO_FAILURE,
)

# Tables: one line for each of the exceptions and actors that fail most.
_CHOSEN: Final = {"fleet": "Fleet", "queue": "Queue"}
_ACTOR: Final = (
    Label("Fleet", label="fleet"),
    Label(
        "Queue",
        label="queue",
        links=[link("Why is it slow?", QUEUE, **_CHOSEN), link("Which workers?", WORKERS, **_CHOSEN)],
    ),
    Label(
        "Actor",
        label="actor",
        links=[link("This actor alone", ACTOR, actor="Actor", **_CHOSEN)],
    ),
)


def _failures(ago: str = "") -> str:
    """By queue, actor and exception: failures per second."""
    return unnamed(recorded("exception:bioagents_job_failures:rate5m", "queue", "actor", ago=ago))


_LISTED_FAILURES: Final = top(f"{_failures()} > 0", LISTED)


def _failures_before(ago: str) -> str:
    """Earlier failures of what fails now."""
    return f"({_failures(ago)} > 0) and {_LISTED_FAILURES}"


_EXCEPTIONS: Final = Table(
    "Current exceptions",
    f"Each class of exception in each actor, the {LISTED} highest, its share of the actor's attempts, and "
    "its rate an hour and a day ago: an empty cell means that it is new. Normal: empty. “(other)” is all "
    "classes beyond the first thirty of an actor. Look them up in the workers' logs.",
    [
        *_ACTOR,
        Label("Exception", label="exception"),
        Value("Failures/s", query=_LISTED_FAILURES),
        Value(
            "Share",
            query=f"{_LISTED_FAILURES} / ignoring (exception) group_left () "
            f"({of_actors('job_attempts:rate5m')} > 0)",
            unit="percentunit",
            whole=True,
        ),
        Value("1 h ago", query=_failures_before("1h")),
        Value("1 d ago", query=_failures_before("1d")),
    ],
    empty=NO_FAILURE,
    sort="Failures/s",
    width=16,
    height=9,
)


def _listed(by_actor: str) -> str:
    """Of the actors that fail most."""
    return f"({by_actor}) and {top(of_actors('job_failures:rate5m'), LISTED)}"


def _listed_series(series: str, ago: str = "") -> str:
    return _listed(unnamed(of_actors(series, ago)))


_ACTORS: Final = Table(
    "Actors",
    f"One row for each actor, the {LISTED} that fail most; the one closest to its queue's failure limit "
    "first. Normal: nothing coloured, run times as the day before. Click an actor to see it alone, its "
    "queue to find out why it is slow or which workers consume it.",
    [
        *_ACTOR,
        Value(
            "Limit used",
            query=_listed(_FAILURE_LIMIT_USED),
            unit="percentunit",
            thresholds=share_of_limit(CLEAR),
            whole=True,
        ),
        Value("Failure ratio", query=_listed_series(_RATIO), unit="percentunit", whole=True),
        Value("Attempts/s", query=_listed_series("job_attempts:rate5m")),
        Value("Failures/s", query=_listed_series("job_failures:rate5m")),
        Value("Retries/s", query=_listed_series("job_retries:rate5m")),
        Value(
            "Dead/s",
            query=_listed_series("jobs_dead:rate5m"),
            thresholds=thresholds(CLEAR, (0.001, BAD)),
        ),
        Value("Wait p95", query=_listed_series("job_wait_seconds:p95_rate5m"), unit="s"),
        Value("Run p50", query=_listed_series("job_duration_seconds:p50_rate5m"), unit="s"),
        Value("Run p95", query=_listed_series(_P95), unit="s"),
        Value("Run p95 1 d ago", query=_listed_series(_P95, "1d"), unit="s"),
    ],
    empty=NO_JOB,
    sort="Limit used",
)


# Graphs.


def _compared(title: str, description: str, series: str, unit: str) -> Graph:
    """Now as a line, the same time a day and a week before as dots."""
    highest = top(_worst_queue(series), _COMPARED)
    targets = [Target(highest, f"{BY_ACTOR} now")]
    for ago, when in {"1d": "1 day before", "1w": "1 week before"}.items():
        targets.append(Target(f"{_worst_queue(series, ago)} and {highest}", f"{BY_ACTOR} {when}"))
    return Graph(title, description, targets, unit=unit, width=12, dotted=" before", empty=_NO_ATTEMPT)


_RATIO_BY_ACTOR: Final = Graph(
    "Failure ratio by actor",
    "Share of the attempts of five minutes that failed, top 10 actors, in the queue where each fails most. "
    "Normal: empty or near 0. Near 100 %, no job of that actor succeeds: see its exceptions.",
    [Target(top(f"{_worst_queue(_RATIO)} > 0"), BY_ACTOR)],
    unit="percentunit",
    width=12,
    empty=NO_FAILURE,
)
_SUCCEEDED: Final = _together("jobs_succeeded:rate5m")
#: Neither success nor failure. The difference of three rates is hardly ever exactly 0.
_POSTPONED: Final = (
    f"{_together('job_attempts:rate5m')} - {_SUCCEEDED} - {shared.FAILURES_PER_SECOND} > 0.001"
)
_BY_OUTCOME: Final = Graph(
    "Attempts by outcome",
    "Attempts per second of all chosen actors, stacked: succeeded, failed, and postponed (Retry, rate "
    "limit, shutdown). Normal: almost all succeeded. Succeeded falls while failed rises: an outage. "
    "Postponed rises: a rate limit.",
    [
        Target(_SUCCEEDED, FLEET + " succeeded"),
        Target(shared.FAILURES_PER_SECOND, FLEET + " failed"),
        Target(_POSTPONED, FLEET + " postponed"),
    ],
    unit=ATTEMPTS,
    width=12,
    stacked=True,
    colors=((" succeeded", GOOD), (" failed", BAD), (" postponed", WARN)),
    empty=_NO_ATTEMPT,
)


def _rate_by_actor(title: str, description: str, counter: str, empty: str) -> Graph:
    query = top(f"{rate(counter, keep=('actor',))} > 0")
    return Graph(title, description, [Target(query, BY_ACTOR)], unit=JOBS, width=6, empty=empty)


_CONSEQUENCES: Final = (
    _rate_by_actor(
        "Retries by actor",
        "Retries per second, top 10 actors. Normal: near 0. Many more than failures: the actor postpones "
        "jobs itself (Retry, rate limits); see whether it has to.",
        "job_retries_total",
        "no job was retried",
    ),
    _rate_by_actor(
        "Dead letters by actor",
        "Jobs per second that became dead letters, top 10 actors. Normal: empty. They failed too often, "
        "raised an exception that must not be retried, or were too old: see the exceptions above.",
        "jobs_dead_total",
        "no job became a dead letter",
    ),
    _rate_by_actor(
        "Skipped jobs by actor",
        "Jobs per second that a middleware skipped and that are gone without an attempt, top 10 actors. "
        "Normal: empty, unless your application skips jobs on purpose.",
        "jobs_skipped_total",
        "no job was skipped",
    ),
    shared.redeliveries_by_actor(6),
)


def _quantiles(title: str, of: str, attempts: str, meaning: str) -> Graph:
    return Graph(
        title,
        f"p95 and p50, estimated from the histogram of {attempts} attempts, top 10 actors. {meaning}",
        shared.quantiles(_worst_queue, f"job_{of}", (95, 50), BY_ACTOR),
        unit="s",
        width=12,
        empty=_NO_ATTEMPT,
    )


def _heatmap(title: str, ago: str, when: str) -> Heatmap:
    buckets = f"sum without (queue, actor) ({of_actors('job_duration_seconds_bucket:rate5m', ago)})"
    return Heatmap(
        title,
        f"Distribution of run times, in attempts per second of the chosen actors, {when}; lighter is more. "
        "Normal: the same bands now and a day before. A new band above is slow work or a slow dependency; "
        "one at a round number is a timeout.",
        one_fleet_alone(buckets),
        empty="no attempt then, the rules are not loaded, or several fleets are chosen: choose one",
    )


ACTOR_BOARD: Final = Board(
    ACTOR,
    "Actor",
    "What fails, how, and since when?",
    [*_STATS, _TIMELINE, _EXCEPTIONS, _ACTORS, alerts_of(ACTOR)],
    {
        "What fails": [
            shared.failures_by_exception(12),
            _RATIO_BY_ACTOR,
            _BY_OUTCOME,
            _compared(
                "Failure ratio compared to the past",
                "Share of the attempts of five minutes that failed, the five actors that fail most, and at "
                "the same time a day and a week before (dotted). Normal: empty, or the solid line follows "
                "the dotted ones. If they diverge, something has changed: look for a deployment at that "
                "time.",
                _RATIO,
                "percentunit",
            ),
        ],
        "Retries, dead letters, redeliveries": _CONSEQUENCES,
        "Run time": [
            _quantiles(
                "Run time by actor",
                "duration",
                "ended",
                "Normal: as last week. One actor rises: a dependency of it is "
                "slow, or its jobs have grown. All rise: the machines, or a service that they share.",
            ),
            _compared(
                "Run time compared to the past",
                "The 95th percentile of the run time, the five actors with the longest, and at the same "
                "time a day and a week before (dotted). Normal: the solid line follows the dotted ones. "
                "Choose an actor to see it alone.",
                _P95,
                "s",
            ),
            _heatmap("Run time of all attempts", "", "now"),
            _heatmap("Run time of all attempts, 1 day before", "1d", "at the same time a day before"),
        ],
        "Wait time": [
            _quantiles(
                "Wait time by actor",
                "wait",
                "started",
                "Without delays and the back-off of retries. Normal: the same for all actors of a queue; "
                "the dashboard Queue shows why a queue is slow.",
            ),
            shared.attempts_by_actor(12),
        ],
    },
)
