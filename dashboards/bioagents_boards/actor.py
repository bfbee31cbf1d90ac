"""The board "Actor": which actors fail, how, since when, and what follows from it.

:mod:`bioagents_boards.actor_graphs` has its graphs.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import ACTOR, QUEUE, WORKERS
from bioagents_boards import shared
from bioagents_boards.actor_graphs import P95, RATIO, ROWS, together, worst_queue
from bioagents_boards.alerts import alerts_of, firing_for
from bioagents_boards.frame import Board
from bioagents_boards.panels import (
    BY_ACTOR,
    OF_ACTOR,
    OF_ALERT,
    Stat,
    Target,
    Timeline,
)
from bioagents_boards.queries import gauge, highest, rate, recorded, top, unnamed
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
#: So many attempts within five minutes make a percentile that can be compared.
_ENOUGH: Final = 20

_NO_JOB: Final = "no job, or rules not loaded"


#: By queue and actor: the share of its queue's failure limit that it uses.
_FAILURE_LIMIT_USED: Final = (
    f"{of_actors(RATIO)} / ignoring (actor) group_left () {gauge('queue_failure_ratio_limit')}"
)


def _slowdown() -> str:
    """95th percentile of the run time to that of a day before, of the actor that slowed down most."""
    now, before = of_actors(P95), of_actors(P95, "1d")
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
        f"sum without (actor) ({worst_queue('job_failures:rate5m')} > bool 0)",
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
        f"{together('job_retries:rate5m')} / ({together('job_attempts:rate5m')} > 0)",
        unit="percentunit",
        thresholds=thresholds(GOOD, (0.2, WARN)),
        whole=True,
        empty="no attempt, or rules not loaded",
    ),
    Stat(
        "New dead letters",
        "Jobs per second that failed permanently. Normal: 0. Dramatiq keeps them for seven days: find the "
        "cause, then enqueue those that still matter again.",
        together("jobs_dead:rate5m"),
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
        Value("Failure ratio", query=_listed_series(RATIO), unit="percentunit", whole=True),
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
        Value("Run p95", query=_listed_series(P95), unit="s"),
        Value("Run p95 1 d ago", query=_listed_series(P95, "1d"), unit="s"),
    ],
    empty=NO_JOB,
    sort="Limit used",
)


ACTOR_BOARD: Final = Board(
    ACTOR,
    "Actor",
    "What fails, how, and since when?",
    [*_STATS, _TIMELINE, _EXCEPTIONS, _ACTORS, alerts_of(ACTOR)],
    ROWS,
)
