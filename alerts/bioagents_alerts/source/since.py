"""Sentences about since when and how many, for the texts of alerts: templates that query recorded series.

Each is about the cause, not about the alert: the last job that ended, the first failure, the first worker
that was lost. It is left out when its query finds nothing. Times are to the minute, of the last day at most.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.builder import OF_FLEET, Builder
from bioagents_alerts.promql import without
from bioagents_alerts.source.worker_memory import HOST_AND_PID, INFO

_TIME: Final = '{{ (.Value | toTime).UTC.Format "15:04" }} UTC'
_COUNT: Final = '{{ .Value | printf "%.0f" }}'
#: How far back a queue or a fleet is looked at, and how far its workers and its Redis.
_HOURS, _DAY = "[6h:1m]", "[1d:1m]"


def last(query: str, window: str = _DAY) -> str:
    """When a query last found something."""
    return f"max_over_time(timestamp({query}){window})"


def began(b: Builder, rate: str, text: str) -> str:
    """Since when a rate of the alert's queue is above 0, after ``text``."""
    now = b.same.recorded(rate)
    first = f"{last(f'{now} == 0', _HOURS)} and {now} > 0"
    always = f"{now} > 0 and min_over_time({now}{_HOURS}) > 0 and {now} offset 6h"
    return b.each(first, f" {text} since {_TIME}.") + b.each(always, f" {text} for more than 6 hours.")


def failures(b: Builder) -> str:
    """Since when attempts of the queue fail, how many of them, and what became of their jobs."""
    failed, attempts = (f"round(300 * {b.same.recorded(f'queue:bioagents_job_{what}:rate5m')})"
                        for what in ("failures", "attempts"))  # fmt: skip
    counted = b.each(f"{failed} > 0 and {attempts}", f" In the last 5 minutes {_COUNT}") + b.each(
        f"{attempts} and {failed} > 0", f" of {_COUNT} attempts failed."
    )
    return began(b, "queue:bioagents_job_failures:rate5m", "Attempts have failed") + counted + _left(b)


def _left(b: Builder) -> str:
    """Jobs that wait for another attempt, and dead letters."""
    delayed = b.same.over_copies(b.same.series("queue_depth", state="delayed"))
    dead = b.same.gauge("queue_depth", state="dead")
    return b.each(f"{delayed} > 0", f" Delayed jobs, retries among them: {_COUNT}.") + b.each(
        f"{dead} > 0", f" Dead letters: {_COUNT}."
    )


def dead(b: Builder) -> str:
    """When jobs of the queue began to become dead letters, and how many there are."""
    now = b.same.recorded("queue:bioagents_jobs_dead:rate5m")
    first = f"min_over_time(timestamp({now} > 0){_HOURS})"
    return b.each(first, f" The first of the last 6 hours became one at {_TIME}.") + _left(b)


def ended(b: Builder) -> str:
    """When a job of the queue last ended, if none does now."""
    completed = b.same.recorded("queue:bioagents_jobs_completed:rate5m")
    # A rate is above 0 for its five minutes, in Prometheus 3 for one point less.
    return b.each(
        f"{last(f'{completed} > 0', '[6h:15s]')} - 285 and {completed} == 0",
        f" The last job ended at about {_TIME}.",
    ) + b.each(
        f"max_over_time({completed}{_HOURS}) == 0 and {completed} offset 6h",
        " No job has ended for more than 6 hours.",
    )


def active(b: Builder) -> str:
    """When the fleet last had an active worker."""
    workers = b.same.recorded("fleet:bioagents_queue_workers:sum")
    return b.each(last(f"{workers} > 0"), f" The last worker was active until {_TIME}.")


def served(b: Builder) -> str:
    """When the queue last had a worker."""
    workers = b.same.gauge("queue_workers")
    return b.each(last(f"{workers} > 0"), f" Its last worker was active until {_TIME}.")


def gone(b: Builder) -> str:
    """The workers of the fleet that are lost: those that are known and no longer alive."""
    alive = b.same.gauge("worker_running_jobs")
    return f"{b.same.recorded(INFO)} unless ignoring (host, pid, queues) {alive}"


def lost(b: Builder) -> str:
    """How many workers of the fleet are lost, by host, and since when."""
    alive = b.same.gauge("worker_running_jobs")
    heartbeat = b.same.gauge("worker_last_heartbeat_timestamp_seconds")
    first = without("min", f"{heartbeat} unless {alive}", "worker")
    return b.each(
        f"topk(3, {without('count', gone(b), 'worker', 'pid', 'queues')})",
        f' Lost on host "{{{{ .Labels.host }}}}": {_COUNT}.',
        sort="host",
        known=OF_FLEET,
    ) + b.each(first, f" The first was lost at {_TIME}.", known=OF_FLEET)


def idle(b: Builder) -> str:
    """Workers that are alive and consume no queue, as after a wrong ``--queues``."""
    nothing = b.same.recorded(INFO, where=('queues=""',))
    alive = f"{nothing} and ignoring (host, pid, queues) {b.same.gauge('worker_slots')} > 0"
    return b.each(
        f"topk(3, {alive})",
        f" {HOST_AND_PID} is alive and consumes no queue: its `--queues` names none of its actors' queues. "
        "More workers with these options do not help.",
        sort="worker",
        known=OF_FLEET,
    )


def until(b: Builder, query: str, text: str) -> str:
    """``text`` and the time when a query last found something."""
    return b.each(last(query), f" {text} {_TIME}.")
