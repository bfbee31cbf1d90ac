"""Sentences about the cause of a backlog, for the texts of alerts: templates that query recorded series.

Each sentence is about the alert's own queue and is left out when its query finds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bioagents_alerts.builder import Builder
    from bioagents_alerts.promql import PromQL

_ENQUEUED, _COMPLETED = "queue:bioagents_jobs_enqueued", "queue:bioagents_jobs_completed"
_DURATION, _SLOTS = "queue:bioagents_job_duration_seconds", "queue:bioagents_queue_slots"
_INFO: Final = "worker:bioagents_worker_info:max"
_SECONDS: Final = "{{ .Value | humanizeDuration }}"
_TIMES: Final = '{{ .Value | printf "%.1f" }} times'
#: From so many times as much on it is unusual; from so many per second on (ten in five minutes) it is a mean.
_UNUSUAL, _ENOUGH = "2", "1 / 30"


def backlog(b: Builder, otherwise: str) -> str:
    """The numbers of the queue, now and usually, and what follows from them.

    ``otherwise`` is what to do first where the numbers show no cause.
    """
    return f"{_numbers(b)}{_actors(b)} {_verdict(b, otherwise)}"


@dataclass(frozen=True, slots=True)
class _Rates:
    """How completions and arrivals are written; ``%`` stands for a number."""

    seconds: int  # that a number of now is about
    step: float
    usual_seconds: int
    ended: str
    arrived: str
    usually: str
    known: str  # the operation whose series shows that arrivals are counted


_FREQUENT: Final = _Rates(
    60, 0.1, 60, " Per minute % jobs end", " and % arrive", " (usually %)", known="rate5m"
)
#: Where less than one job per minute ends, as long ones do, a rate of five minutes says little.
_RARE: Final = _Rates(
    300, 1, 3600, " In the last 5 minutes % jobs ended", " and % arrived", " (usually % per hour)",
    known="avg1d",
)  # fmt: skip


def _numbers(b: Builder) -> str:
    usually = b.same.recorded(f"{_DURATION}:avg1d")
    took = first_of(
        (
            (
                b.same.recorded(f"{_DURATION}:avg5m"),
                f"; an attempt takes {_SECONDS}{b.each(usually, f' (usually {_SECONDS})')}",
            ),
            (usually, f"; an attempt usually takes {_SECONDS}"),
        )
    )
    rare = f"{b.same.recorded(f'{_COMPLETED}:avg1d')} < 1 / 60"
    rates = f"{{{{ if {asked(rare)} }}}}{_rates(b, _RARE)}{{{{ else }}}}{_rates(b, _FREQUENT)}{{{{ end }}}}"
    return where(b.same.recorded(f"{_COMPLETED}:rate5m"), f"{rates}{took}.")


def _rates(b: Builder, form: _Rates) -> str:
    def both(record: str, text: str) -> str:
        now, usually = (b.same.recorded(f"{record}:{window}") for window in ("rate5m", "avg1d"))
        return _number(b, f"round({form.seconds} * {now}, {form.step})", text) + _number(
            b, f"round({form.usual_seconds} * {usually}, 0.1)", form.usually
        )

    # Producers without JobMetrics count no arrivals.
    known = f"{b.same.recorded(f'{_ENQUEUED}:{form.known}')} > 0"
    return both(_COMPLETED, form.ended) + where(known, both(_ENQUEUED, form.arrived))


def _number(b: Builder, query: str, text: str) -> str:
    return b.each(query, text.replace("%", '{{ .Value | printf "%.6g" }}'))


def _actors(b: Builder) -> str:
    shown = 'actor "{{ .Labels.actor }}" ({{ .Value | humanizePercentage }}).'
    return "".join(
        b.each(_top(b, what), f" {text}: {shown}")
        for what, text in (("job_duration_seconds_sum", "Most run time"), ("jobs_enqueued", "Most arrivals"))
    )


def _top(b: Builder, what: str) -> str:
    """The actor with the largest share of the queue's rate."""
    actors, queue = (b.same.recorded(f"{level}:bioagents_{what}:rate5m") for level in ("actor", "queue"))
    return f"topk(1, {actors} / ignoring (actor) group_left () ({queue} > 0))"


_HANGING: Final = """Nothing ends, and the oldest job has been running for {{ .Value | humanizeDuration }}%s:
do not add workers. First find out what the running jobs wait for: see the runbook of JobsHanging."""
_SHARED: Final = """Jobs of queue "{{ .Labels.queue }}" hang in the slots that it shares with this queue: do
not add workers. First find out what they wait for: see the runbook of JobsHanging."""
_SLOW: Final = f"""Attempts take {_TIMES} as long as usual. First find out why: more workers help only if they
do not wait for the same thing."""
_FLOOD: Final = f"""Jobs arrive {_TIMES} as fast as usual. First find out who sends them and whether all of
them are wanted, then add workers."""
_FEW_SLOTS: Final = """The queue has {{ .Value | printf "%.0f" }} slots, fewer than usual. First start the
workers that are missing."""
_TOO_FEW: Final = "Arrivals, run times and slots are about as usual. First add workers: there are too few."


def _verdict(b: Builder, otherwise: str) -> str:
    took, usually_took, arrive, usually_arrive, slots, usual_slots, attempts = map(
        b.same.recorded,
        (
            f"{_DURATION}:avg5m", f"{_DURATION}:avg1d", f"{_ENQUEUED}:rate5m", f"{_ENQUEUED}:avg1d",
            f"{_SLOTS}:max", f"{_SLOTS}:median1d", "queue:bioagents_job_attempts:rate5m",
        ),
    )  # fmt: skip
    hanging = "queue:bioagents_jobs_hanging:seconds"
    # Slots in which none of its own jobs runs: so the queue shares them.
    taken = f"{slots} > 0 and {b.same.gauge('queue_running_jobs')} == 0 and {attempts} == 0"
    elsewhere = f"{b.others.recorded(hanging)} and ignoring (queue) ({taken})"
    oldest = b.each(
        oldest_jobs(b, 1),
        ' (actor "{{ .Labels.actor }}" on host "{{ .Labels.host }}" pid {{ .Labels.pid }})',
    )
    slower = f"{took} / {usually_took} and {attempts} >= {_ENOUGH}"
    faster = f"{arrive} / ({usually_arrive} > 0) and {arrive} >= {_ENOUGH}"
    return first_of(
        (
            (b.same.recorded(hanging), _HANGING % oldest),
            (f"topk(1, {elsewhere})", _SHARED),
            (f"({slower}) > {_UNUSUAL}", _SLOW),
            (f"({faster}) > {_UNUSUAL}", _FLOOD),
            (f"{slots} < 0.8 * {usual_slots}", _FEW_SLOTS),
            (slower, _TOO_FEW),
        ),
        otherwise,
    )


_NEW_VERSION: Final = """ Its workers run a new version, "{{ .Labels.version }}", since %s: if the fault began
then, roll it back first."""
_START: Final = " A worker of the queue last started at %s."
_TIME: Final = '{{ (.Value | toTime).UTC.Format "15:04" }} UTC'


#: One of :func:`oldest_jobs` in a text.
OLDEST_JOB: Final = """ Actor "{{ .Labels.actor }}" on host "{{ .Labels.host }}" pid {{ .Labels.pid }}:
{{ .Value | humanizeDuration }}."""


def oldest_jobs(b: Builder, count: int) -> str:
    """The query for the jobs of the queue that have run longest, with their workers' hosts and pids."""
    jobs, workers = b.same.gauge("worker_longest_running_job_seconds"), b.others.recorded(_INFO)
    return (
        f"topk({count}, {jobs} * ignoring (queue, actor, host, pid, queues) group_left (host, pid) {workers})"
    )


def changes(known: PromQL) -> str:
    """A new version of the workers, or else a start of one, within the last two hours.

    ``known`` asks by the queue of the alert, not by its actor.
    """
    started = known.recorded("queue:bioagents_queue_last_worker_start_time_seconds:max")
    version = known.recorded("queue:bioagents_queue_new_version_time_seconds:min2h")
    return first_of(
        (
            (f"topk(1, {version})", _NEW_VERSION % _TIME),
            (f"topk(1, {started} > time() - 7200)", _START % _TIME),
        )
    )


def asked(query: str, known: str = "") -> str:
    """The part of a template that asks for ``query``, which has the alert's own labels as ``%[1]s``.

    ``%[2]s`` are the same without the actor; ``known`` is another variable for ``%[1]s``.
    """
    known = known or ("$in $of" if "%[2]s" in query else "$in")
    return f"query (printf {json.dumps(query, ensure_ascii=False)} {known})"


def where(query: str, text: str) -> str:
    """A template that shows ``text`` if ``query`` finds anything."""
    return f"{{{{ if {asked(query)} }}}}{text}{{{{ end }}}}"


def first_of(choices: Iterable[tuple[str, str]], otherwise: str = "") -> str:
    """A template with the text of the first query that finds something, which may show ``.Labels``."""
    found = otherwise
    for query, text in reversed([*choices]):
        shown = f"{{{{ with index . 0 }}}}{text}{{{{ end }}}}"
        found = f"{{{{ with {asked(query)} }}}}{shown}{{{{ else }}}}{found}{{{{ end }}}}"
    return found
