"""What happens to jobs: arrivals, completions, failures, retries, how long they wait and run.

``BY_QUEUE`` queries give one series for each queue of a fleet, ``BY_ACTOR`` ones one for each actor, the
others one for each fleet, unless their docstring says more. What the rules record is of five
minutes; of queues it does not follow the variable ``actor``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from bioagents_dashboards.queries.alerts import firing_for
from bioagents_dashboards.queries.promql import (
    NONE,
    TOP,
    gauge,
    rate,
    recorded,
    top,
    unnamed,
)

#: From a number of a hundred (95) to a query.
Quantile: TypeAlias = Callable[[int], str]

#: A table has at most this many lines of actors.
LISTED: Final = 50

_ACTOR: Final = ("actor",)
_FAILURES: Final = "exception:bioagents_job_failures:rate5m"
#: So many actors stand beside what they were: each has three lines.
_COMPARED: Final = 5
#: So many attempts within five minutes make a percentile that can be compared.
_ENOUGH: Final = 20


# By queue, and of whole fleets.


def failures_per_second() -> str:
    """Attempts that raised, per second."""
    return _together("job_failures:rate5m")


def failures_by_exception() -> str:
    """By queue, actor and exception: the highest rates of failure."""
    return f"{top(TOP, recorded(_FAILURES, 'queue', 'actor'))} > 0"


def arrivals() -> str:
    """BY_QUEUE: jobs enqueued per second, the queues with the most."""
    return top(TOP, arrivals_of_queues())


def completions() -> str:
    """BY_QUEUE: jobs per second that are done for good, the queues with the most."""
    return top(TOP, completions_of_queues())


def arrivals_of_queues() -> str:
    """BY_QUEUE: jobs enqueued per second."""
    return unnamed(_of_queues("jobs_enqueued:rate5m"))


def completions_of_queues() -> str:
    """BY_QUEUE: jobs per second that are done for good: succeeded, dead or skipped."""
    return unnamed(_of_queues("jobs_completed:rate5m"))


def wait_quantile(percent: int) -> str:
    """BY_QUEUE: wait of the attempts that began, the queues with the longest."""
    return top(TOP, _of_queues(_quantile("wait", percent)))


def run_quantile(percent: int) -> str:
    """BY_QUEUE: run time of the attempts that ended, the queues with the longest."""
    return top(TOP, run_quantile_of_queues(percent))


def run_quantile_of_queues(percent: int) -> str:
    """BY_QUEUE: run time of the attempts that ended."""
    return unnamed(_of_queues(_quantile("duration", percent)))


def wait_buckets() -> str:
    """By bucket: attempts per second that began after so long a wait, while one fleet alone is chosen."""
    return _of_one_fleet(_buckets_of_queues("wait"))


def run_buckets() -> str:
    """By bucket: attempts per second that took so long, while one fleet alone is chosen."""
    return _of_one_fleet(_buckets_of_queues("duration"))


def retries() -> str:
    """BY_QUEUE: retries per second, the queues with the most."""
    return top(TOP, _of_queues("job_retries:rate5m"))


def causes_of_death() -> str:
    """By queue, actor and exception: failures per second of actors whose jobs die."""
    return top(TOP, recorded("exception:bioagents_jobs_dead:rate5m_raised", "queue", "actor"))


# By actor.


def failing_for() -> str:
    """Seconds since an alert about failures in a chosen queue became true; nothing while none fires."""
    return firing_for(named="Failure")


def failure_ratio() -> str:
    """BY_ACTOR: share of the attempts of five minutes that raised, of those that fail."""
    return top(TOP, f"{_worst_queue('job_failures:ratio_rate5m')} > 0")


def failure_limit_used() -> str:
    """By queue and actor: the share of its queue's failure limit that it uses up, of those that fail."""
    return top(TOP, f"{_failure_limit_used()} > 0")


def worst_failure_limit_used() -> str:
    """The highest share of a failure limit of any actor; 0 where nothing failed."""
    return f"max without (queue, actor) ({_failure_limit_used()})"


def failing_actors() -> str:
    """How many actors failed in five minutes."""
    return f"sum without (actor) ({_worst_queue('job_failures:rate5m')} > bool 0)"


def arrivals_by_actor() -> str:
    """BY_ACTOR: jobs enqueued per second, of the actors with the most."""
    return top(TOP, rate("jobs_enqueued_total", keep=_ACTOR))


def attempts() -> str:
    """BY_ACTOR: attempts per second that ended, of the actors with the most."""
    return top(TOP, f"sum without (queue) ({_of_actors('job_attempts:rate5m')})")


def succeeded() -> str:
    """Attempts per second without an exception."""
    return _together("jobs_succeeded:rate5m")


def put_off() -> str:
    """Attempts per second that ended with "later": neither success nor failure."""
    # The difference of three rates is hardly ever exactly 0.
    return f"{_together('job_attempts:rate5m')} - {succeeded()} - {failures_per_second()} > 0.001"


def retried_share() -> str:
    """Share of the attempts that ended in another try."""
    return f"{_together('job_retries:rate5m')} / ({_together('job_attempts:rate5m')} > 0)"


def deaths() -> str:
    """Jobs per second that became dead letters."""
    return _together("jobs_dead:rate5m")


def redeliveries() -> str:
    """Attempts per second at jobs whose worker went missing."""
    return rate("jobs_redelivered_total", keep=NONE)


def retries_by_actor() -> str:
    """BY_ACTOR: retries per second."""
    return _some("job_retries_total")


def deaths_by_actor() -> str:
    """BY_ACTOR: jobs per second that became dead letters."""
    return _some("jobs_dead_total")


def skipped_by_actor() -> str:
    """BY_ACTOR: jobs per second that a middleware skipped."""
    return _some("jobs_skipped_total")


def redeliveries_by_actor() -> str:
    """BY_ACTOR: attempts per second at jobs whose worker went missing."""
    return _some("jobs_redelivered_total")


def run_quantile_by_actor(percent: int) -> str:
    """BY_ACTOR: run time of the attempts that ended, the actors with the longest."""
    return top(TOP, _worst_queue(_quantile("duration", percent)))


def wait_quantile_by_actor(percent: int) -> str:
    """BY_ACTOR: wait of the attempts that began, the actors with the longest."""
    return top(TOP, _worst_queue(_quantile("wait", percent)))


# Now and before: ``ago`` (as ``1d``) asks for the same of that time before.


def run_times(ago: str = "") -> str:
    """BY_ACTOR: 95th percentile of the run time, of the actors with the longest now."""
    return _compared(_quantile("duration", 95), ago)


def most_slowed() -> str:
    """95th percentile of the run time to that of a day before, of the actor that slowed most.

    Few attempts make no percentile, so that only actors with twenty in five minutes count.
    """
    now, before = (_of_actors(_quantile("duration", 95), ago) for ago in ("", "1d"))
    enough = f"{_of_actors('job_attempts:rate5m')} > {_ENOUGH / 300:.2g}"
    return f"max without (queue, actor) ({now} / ({before} > 0) and {enough})"


def run_buckets_of_actors(ago: str = "") -> str:
    """By bucket: attempts per second of the chosen actors that took so long, while one fleet is chosen."""
    return _of_one_fleet(
        f"sum without (queue, actor) ({_of_actors('job_duration_seconds_bucket:rate5m', ago)})"
    )


def failure_ratios(ago: str = "") -> str:
    """BY_ACTOR: share of the attempts that raised, of the actors that fail most now."""
    return _compared("job_failures:ratio_rate5m", ago)


# Tables: one line for each of the exceptions and actors that fail most.


def listed_failures(ago: str = "") -> str:
    """By queue, actor and exception: failures per second, of what fails now."""
    now = top(LISTED, f"{_of_exceptions()} > 0")
    return f"({_of_exceptions(ago)} > 0) and {now}" if ago else now


def listed_share() -> str:
    """By queue, actor and exception: which share of the actor's attempts so fails now."""
    attempts_ = f"({_of_actors('job_attempts:rate5m')} > 0)"
    return f"{listed_failures()} / ignoring (exception) group_left () {attempts_}"


def listed(what: str) -> str:
    """By queue and actor: what the rules record of it per second."""
    return _listed(unnamed(_of_actors(f"{what}:rate5m")))


def listed_limit_used() -> str:
    """By queue and actor: the share of its queue's failure limit."""
    return _listed(_failure_limit_used())


def listed_ratio() -> str:
    """By queue and actor: share of the attempts that raised."""
    return _listed(unnamed(_of_actors("job_failures:ratio_rate5m")))


def listed_quantile(what: str, percent: int, ago: str = "") -> str:
    """By queue and actor: a quantile of the "wait" or the "duration"."""
    return _listed(unnamed(_of_actors(_quantile(what, percent), ago)))


def _some(name: str) -> str:
    return top(TOP, f"{rate(name, keep=_ACTOR)} > 0")


def _listed(by_actor: str) -> str:
    return f"({by_actor}) and {top(LISTED, _of_actors('job_failures:rate5m'))}"


def _quantile(what: str, percent: int) -> str:
    return f"job_{what}_seconds:p{percent}_rate5m"


def _of_exceptions(ago: str = "") -> str:
    """By queue, actor and exception: failures per second."""
    series = recorded(_FAILURES, "queue", "actor")
    return unnamed(f"{series} offset {ago}" if ago else series)


def _together(series: str) -> str:
    """Of all chosen actors: what the rules record of each."""
    return f"sum without (queue, actor) ({_of_actors(series)})"


def _of_actors(series: str, ago: str = "") -> str:
    """By queue and actor: what the rules record of each actor."""
    offset = f" offset {ago}" if ago else ""
    return recorded(f"actor:bioagents_{series}", "queue", "actor") + offset


def _worst_queue(series: str, ago: str = "") -> str:
    """BY_ACTOR: the highest of the queues in which an actor works."""
    return f"max without (queue) ({_of_actors(series, ago)})"


def _compared(series: str, ago: str) -> str:
    highest = top(_COMPARED, _worst_queue(series))
    return f"{_worst_queue(series, ago)} and {highest}" if ago else highest


def _of_queues(series: str) -> str:
    """BY_QUEUE: what the rules record of each queue."""
    return recorded(f"queue:bioagents_{series}", "queue")


def _buckets_of_queues(what: str) -> str:
    return f"sum without (queue) ({_of_queues(f'job_{what}_seconds_bucket:rate5m')})"


def _of_one_fleet(buckets: str) -> str:
    """Nothing while several fleets are chosen: a heat map would take their buckets for those of one."""
    return f"{buckets} and on () (count({rate('jobs_processed_total', keep=NONE)}) == 1)"


def _failure_limit_used() -> str:
    ratio, limit = _of_actors("job_failures:ratio_rate5m"), gauge("queue_failure_ratio_limit")
    return f"{ratio} / ignoring (actor) group_left () {limit}"
