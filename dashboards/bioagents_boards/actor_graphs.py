"""The board "Actor": its graphs, by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bioagents_boards import shared
from bioagents_boards.panels import BY_ACTOR, FLEET, Graph, Heatmap, Panel, Target
from bioagents_boards.queries import one_fleet_alone, top
from bioagents_boards.shared import NO_FAILURE, of_actors
from bioagents_boards.style import ATTEMPTS, BAD, GOOD, JOBS, WARN

#: So many actors are compared with their past: each has three lines.
_COMPARED: Final = 5

_NO_ATTEMPT: Final = "no attempt has ended, or the rules are not loaded"
P95: Final = "job_duration_seconds:p95_rate5m"
RATIO: Final = "job_failures:ratio_rate5m"


def together(series: str) -> str:
    """Of all chosen actors, one number for each fleet."""
    return f"sum without (queue, actor) ({of_actors(series)})"


def worst_queue(series: str, ago: str = "") -> str:
    """BY_ACTOR: the highest of the queues in which an actor works."""
    return f"max without (queue) ({of_actors(series, ago)})"


def _compared(title: str, description: str, series: str, unit: str) -> Graph:
    """Now as a line, the same time a day and a week before as dots."""
    highest = top(worst_queue(series), _COMPARED)
    targets = [Target(highest, f"{BY_ACTOR} now")]
    for ago, when in {"1d": "1 day before", "1w": "1 week before"}.items():
        targets.append(Target(f"{worst_queue(series, ago)} and {highest}", f"{BY_ACTOR} {when}"))
    return Graph(title, description, targets, unit=unit, width=12, dotted=" before", empty=_NO_ATTEMPT)


_RATIO_BY_ACTOR: Final = Graph(
    "Failure ratio by actor",
    "Share of the attempts of five minutes that failed, top 10 actors, in the queue where each fails most. "
    "Normal: empty or near 0. Near 100 %, no job of that actor succeeds: see its exceptions.",
    [Target(top(f"{worst_queue(RATIO)} > 0"), BY_ACTOR)],
    unit="percentunit",
    width=12,
    empty=NO_FAILURE,
)
_SUCCEEDED: Final = together("jobs_succeeded:rate5m")
#: Neither success nor failure. The difference of three rates is hardly ever exactly 0.
_POSTPONED: Final = f"{together('job_attempts:rate5m')} - {_SUCCEEDED} - {shared.FAILURES_PER_SECOND} > 0.001"
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


def _rate_by_actor(title: str, description: str, series: str, empty: str) -> Graph:
    query = top(f"sum without (queue) ({of_actors(series)}) > 0")
    return Graph(title, description, [Target(query, BY_ACTOR)], unit=JOBS, width=6, empty=empty)


_CONSEQUENCES: Final = (
    _rate_by_actor(
        "Retries by actor",
        "Retries per second over five minutes, top 10 actors. Normal: near 0. Many more than failures: the "
        "actor postpones jobs itself (Retry, rate limits); see whether it has to.",
        "job_retries:rate5m",
        "no job was retried, or the rules are not loaded",
    ),
    _rate_by_actor(
        "Dead letters by actor",
        "Jobs per second that became dead letters, over five minutes, top 10 actors. Normal: empty. They "
        "failed too often, raised an exception that must not be retried, or were too old: see the exceptions "
        "above.",
        "jobs_dead:rate5m",
        "no job became a dead letter, or the rules are not loaded",
    ),
    _rate_by_actor(
        "Skipped jobs by actor",
        "Jobs per second that a middleware skipped and that are gone without an attempt, over five minutes, "
        "top 10 actors. Normal: empty, unless your application skips jobs on purpose.",
        "jobs_skipped:rate5m",
        "no job was skipped, or the rules are not loaded",
    ),
    shared.redeliveries_by_actor(6),
)


def _quantiles(title: str, of: str, attempts: str, meaning: str) -> Graph:
    return Graph(
        title,
        f"p95 and p50, estimated from the histogram of {attempts} attempts, top 10 actors. {meaning}",
        shared.quantiles(worst_queue, f"job_{of}", (95, 50), BY_ACTOR),
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


ROWS: Final[Mapping[str, Sequence[Panel]]] = {
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
            RATIO,
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
            P95,
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
}
