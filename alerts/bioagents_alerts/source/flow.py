"""What flows through a queue, now and usually: arrivals, completions, run times; and jobs that hang."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import AGE, QUEUE, Builder
from bioagents_alerts.diagnosis import OLDEST_JOB, oldest_jobs
from bioagents_alerts.model import Alert, Group, Record
from bioagents_alerts.promql import without
from bioagents_alerts.source import since
from bioagents_alerts.thresholds import number
from bioagents_alerts.titles import of_queue
from bioagents_worker.wire import BUCKETS

_ACTOR = ("queue", "actor")
_ENQUEUED, _COMPLETED = "queue:bioagents_jobs_enqueued", "queue:bioagents_jobs_completed"
_DURATION, _SLOTS = "queue:bioagents_job_duration_seconds", "queue:bioagents_queue_slots"
_SLOT_TIME = f"{_DURATION}_sum:rate5m"
_LONGEST_ENDED, _USUAL_LONGEST = f"{_DURATION}:p9999_rate5m", f"{_DURATION}:longest7d"
_HANGING = "queue:bioagents_jobs_hanging:seconds"
_ATTEMPTS = "queue:bioagents_job_attempts:rate5m"
#: Readings, each of other five minutes, from which on it is known how long attempts usually take.
_KNOWN = 10


def now(b: Builder) -> Group:
    """Arrivals, completions and the time that attempts took, by queue and by actor."""
    ql = b.ql
    by_actor = "actor:bioagents_jobs_enqueued:rate5m", "actor:bioagents_job_duration_seconds_sum:rate5m"
    records = (
        b.record(by_actor[0], ql.rate("jobs_enqueued_total", "5m", keep=_ACTOR)),
        b.record(f"{_ENQUEUED}:rate5m", without("sum", ql.recorded(by_actor[0]), "actor")),
        b.record(
            f"{_COMPLETED}:rate5m",
            f"""
            {ql.recorded("queue:bioagents_jobs_succeeded:rate5m")}
              + {ql.recorded("queue:bioagents_jobs_dead:rate5m")}
              + {without("sum", ql.recorded("actor:bioagents_jobs_skipped:rate5m"), "actor")}
            """,
            """
            A job ends once: it succeeds, becomes a dead letter or is skipped. A failure that will be
            retried ends nothing. The three series of an actor exist at 0 from the moment a worker that
            declares it boots.
            """,
        ),
        b.record(
            by_actor[1],
            ql.rate("job_duration_seconds_sum", "5m", keep=_ACTOR),
            "Seconds of run time per second: how many slots the attempts that ended occupied.",
        ),
        b.record(_SLOT_TIME, without("sum", ql.recorded(by_actor[1]), "actor")),
        b.record(
            f"{_DURATION}:avg5m",
            f"{ql.recorded(_SLOT_TIME)} / ({ql.recorded(_ATTEMPTS)} > 0)",
            "The mean run time of the attempts that ended.",
        ),
    )  # fmt: skip
    return Group("bioagents-queues-flow", records)


def usual(b: Builder) -> Group:
    """The same as it usually is, and when workers of a queue started."""
    ql = b.ql

    def past(function: str, record: str, window: str = "1d:5m", ago: str = "30m") -> str:
        return f"{function}({ql.recorded(record)}[{window}] offset {ago})"

    attempts = past("sum_over_time", _ATTEMPTS)
    ended = f"{ql.recorded(_LONGEST_ENDED)}[7d:5m] offset 10m"
    records = (
        b.record(
            f"{_ENQUEUED}:avg1d",
            past("avg_over_time", f"{_ENQUEUED}:rate5m"),
            """
            What is usual: of the day until half an hour ago, so that a fault of today changes it little. For
            texts and boards.
            """,
        ),
        b.record(f"{_COMPLETED}:avg1d", past("avg_over_time", f"{_COMPLETED}:rate5m")),
        b.record(f"{_DURATION}:avg1d", f"{past('sum_over_time', _SLOT_TIME)} / ({attempts} > 0)"),
        b.record(f"{_SLOTS}:median1d", f"quantile_over_time(0.5, {ql.recorded(f'{_SLOTS}:max')}[1d:5m] "
                 "offset 30m)"),
        b.record(
            _LONGEST_ENDED,
            f'histogram_quantile(0.9999, {ql.recorded(f"{_DURATION}_bucket:rate5m")}) > 0',
            """
            The longest attempt that ended within five minutes: between the bounds of its bucket. Not the
            quantile 1, for which two sums of the same numbers would have to be equal to the last digit.
            """,
        ),
        b.record(
            _USUAL_LONGEST,
            f"""
            quantile_over_time(0.998, {ended}) < {number(max(BUCKETS))}
              and count_over_time({ended}) >= {_KNOWN}
            """,
            """
            The longest that attempts of the queue usually take. Of a week's 2,016 readings the four highest
            do not count: jobs that hung once and were ended are not usual, a job that runs every day is.
            Absent where it is not known: beyond the highest bucket, which has no upper bound, and from fewer
            than ten readings. The first attempts of a new queue are often those that fail at once.
            """,
        ),
        *_starts(b),
    )  # fmt: skip
    return Group("bioagents-queues-usual", records, interval="1m")


def _starts(b: Builder) -> tuple[Record, Record]:
    started = b.ql.gauge("queue_last_worker_start_time_seconds")
    first = f"min_over_time({started}[2h])"
    return (
        b.gauge(
            "queue_last_worker_start_time_seconds", "When workers of the queue last started, by version."
        ),
        b.record(
            "queue:bioagents_queue_new_version_time_seconds:min2h",
            f"""
            (
              {first}
              and {started}
              unless {b.ql.gauge("queue_last_worker_start_time_seconds", ago="2h")}
            )
            > ignoring (version) group_left () {without("min", first, "version")}
            """,
            """
            The first start of a version that workers of the queue have, had not two hours ago, and that came
            after another one: neither the first version of a fleet nor one that was rolled back to.
            """,
        ),
    )


def hanging(b: Builder) -> Group:
    """Jobs that occupy every slot of a queue and do not end."""
    return Group("bioagents-queues-hanging", (_seconds(b), _alert(b)))


def _seconds(b: Builder) -> Record:
    ql = b.ql
    running, slots = (
        ql.over_copies(f"avg_over_time({ql.series(name)}[5m])")
        for name in ("queue_running_jobs", "queue_slots")
    )
    busy = ql.recorded("fleet:bioagents_worker_slots:busy_ratio")
    held = ql.over_copies(f"min_over_time({ql.series('queue_depth', state='active')}[1m])", "state")
    return b.record(
        _HANGING,
        f"""
        {ql.gauge("queue_longest_running_job_seconds")} > 2 * {ql.recorded(_USUAL_LONGEST)}
        and {ql.recorded(_ATTEMPTS)} == 0
        and (
          {running} / ({slots} > 0) >= 0.99
          or (
            min_over_time({ql.gauge("queue_running_jobs")}[5m]) > 0
            and {ql.gauge("queue_slots")} > 0
            and ignoring (queue) avg_over_time({busy}[5m]) >= 0.99
          )
        )
        and {ql.gauge("queue_depth", state="waiting")} + {held} >= {ql.gauge("queue_running_jobs")} + 1
        """,
        """
        The age of the oldest job of a queue whose jobs hang. The conditions, in this order: it runs twice
        as long as attempts of this queue usually take at most; no attempt has ended for five minutes; all
        slots have been busy meanwhile, those of the queue, or those of the fleet where workers serve
        several queues; further jobs wait, in Redis or in the memory of a worker. So every running job is
        older than five minutes, and a queue whose jobs take hours is judged by hours.
        """,
    )


def _alert(b: Builder) -> Alert:
    usually = b.each(
        b.same.recorded(_USUAL_LONGEST), ", while they usually end within {{ .Value | humanizeDuration }}"
    )
    oldest = b.each(oldest_jobs(b, 4), OLDEST_JOB)
    return b.alert(
        "JobsHanging",
        b.ql.recorded(_HANGING),
        pending="1m",
        keep_firing="10m",
        severity="critical",
        since=since.ended(b),
        board=boards.QUEUE,
        summary=of_queue(f"no job ends, the oldest runs for {AGE}"),
        description=f"""All slots of queue "{QUEUE}" are busy and no job has ended for five minutes: the
        oldest has been running for {AGE}{usually}. Do not add workers: the same jobs would hang there
        too.{oldest} First find out what these processes wait for (py-spy dump, their logs), then restart
        them.""",
        comment="""
        The condition is recorded, because the texts of other alerts and boards show it too. Draining workers
        count as busy. keep_firing_for is that of QueueGrowing, which this alert inhibits.
        """,
    )
