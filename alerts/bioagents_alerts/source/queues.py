"""Rules about queues: backlog, waiting time, queues that no worker serves."""

from __future__ import annotations

from bioagents_alerts import boards, diagnosis
from bioagents_alerts.builder import AGE, COUNT, QUEUE, Builder
from bioagents_alerts.model import Alert, Group, Record, RuleFile
from bioagents_alerts.promql import without
from bioagents_alerts.source import flow, lost_jobs, since
from bioagents_alerts.titles import TIME, WHOLE, counted, limit_of, of_queue

COMMENT = """
Alerts about queues. Their thresholds are limit metrics of the exporter: people set them in the exporter's
configuration, for all queues or for one, and these rules stay as they are.

Several copies of an exporter differ only in the labels that `max without (...)` drops: one answer is made of
all copies, and fleet, region, cluster, environment and every other label of the targets stay.
"""

_DEEP_FIRST = """First check on the exporter's status page whether the queue's workers are alive and complete
jobs: if they do, add workers; if they do not, read their logs."""
_GROWING_FIRST = """First check whether its workers complete as many jobs as usual: if they do, add workers;
if they do not, find out what slows them down."""
_WAIT_FIRST = """First check the queue's slots on the exporter's status page: if all of them are running, add
workers; if some are free, see the runbook of QueueStalled; if there are none, start workers."""


def rules(b: Builder) -> RuleFile:
    """The file queues.yml."""
    backlog = Group("bioagents-queues", (*_records(b), *(alert(b) for alert in _ALERTS)))
    groups = (
        flow.now(b),
        backlog,
        flow.usual(b),
        flow.hanging(b),
        lost_jobs.lost(b),
        lost_jobs.dead_letters(b),
    )
    return RuleFile("queues", COMMENT, groups)


def _records(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    return (
        b.gauge("queue_depth", "Inputs that alerts and boards share. A group evaluates its rules in order.",
                state="waiting"),
        b.gauge("queue_depth_limit"),
        b.gauge("queue_drain_limit_seconds"),
        b.gauge("queue_oldest_job_age_seconds"),
        b.gauge("queue_workers"),
        b.record(
            "fleet:bioagents_queue_workers:sum",
            without("sum", ql.gauge("queue_workers"), "queue"),
            "0 only when no worker of the fleet accepts new jobs: a worker counts in each of its queues.",
        ),
        b.gauge(
            "exporter_source_success",
            """
            Here, because alerts compare them with the workers of queues: all of one evaluation. A central
            exporter reads the fleet from Redis; only such a copy has the source "fleet".
            """,
            source="fleet",
        ),
        b.gauge("workers_missing"),
        b.gauge("queue_desired_workers"),
        b.gauge("queue_slots"),
        b.gauge("queue_running_jobs"),
    )  # fmt: skip


def _deep(b: Builder) -> Alert:
    ql, waiting = b.ql, b.ql.gauge("queue_depth", state="waiting")
    return b.alert(
        "HighQueueDepth",
        f"{waiting} > {ql.gauge('queue_depth_limit')}",
        pending="10m",
        keep_firing="5m",
        severity="warning",
        since=since.ended(b),
        board=boards.QUEUE,
        summary=of_queue(counted("waiting job") + limit_of(b, "queue_depth_limit", WHOLE)),
        description=f"""Queue "{QUEUE}" has {COUNT} waiting jobs, more than its depth limit. New jobs
        start late.{diagnosis.backlog(b, _DEEP_FIRST)}""",
        comment="""
        keep_firing_for: a restart of the exporter, or a moment without Redis, does not resolve the
        alert and fire it again for the same backlog.
        """,
    )


def _growing(b: Builder) -> Alert:
    ql, waiting = b.ql, b.ql.gauge("queue_depth", state="waiting")
    completed = ql.recorded("queue:bioagents_jobs_completed:rate5m")
    return b.alert(
        "QueueGrowing",
        f"""
        (
          {waiting}
            > {ql.gauge("queue_drain_limit_seconds")} * {completed}
        )
        and (
          {ql.recorded("queue:bioagents_jobs_enqueued:rate5m")} > {completed}
          or {waiting} > {ql.gauge("queue_depth", state="waiting", ago="5m")}
        )
        and {waiting} > {ql.gauge("queue_depth", state="waiting", ago="15m")}
        """,
        pending="15m",
        keep_firing="10m",
        severity="warning",
        since=since.ended(b),
        board=boards.QUEUE,
        summary=of_queue(
            counted("waiting job")
            + ", growing"
            + limit_of(b, "queue_drain_limit_seconds", TIME, "drain limit")
        ),
        description=f"""Queue "{QUEUE}" has {COUNT} waiting jobs, more than its workers complete within
        its drain limit, and the backlog still grows.{diagnosis.backlog(b, _GROWING_FIRST)}""",
        comment="""
        Three conditions, because each one alone is sometimes true of a healthy queue:

        - The backlog is more than the present rate of completions works off within the queue's limit
        (multiplied, not divided: a queue without completions needs no special case).
        - More jobs arrive than are completed, or the list has grown in the last five minutes. Retries,
        delayed jobs that are due and jobs of producers without JobMetrics do not count as arrivals.
        - The list is longer than a quarter of an hour ago. Jobs that are sent now to run at night
        arrive, but do not wait.

        Five minutes after its last job a burst is no longer in the rates, whatever backlog it leaves, so
        `for` passes only what keeps arriving for ten minutes and more. Two rates that are close to each
        other may cross, so keep_firing_for is long.
        """,
    )


def _wait_too_long(b: Builder) -> Alert:
    ql = b.ql
    return b.alert(
        "QueueWaitTooLong",
        f"{ql.gauge('queue_oldest_job_age_seconds')} > {ql.gauge('queue_wait_limit_seconds')}",
        pending="2m",
        keep_firing="5m",
        severity="warning",
        since=since.ended(b),
        board=boards.QUEUE,
        summary=of_queue(f"next job ready for {AGE}" + limit_of(b, "queue_wait_limit_seconds", TIME)),
        description=f"""The next job of queue "{QUEUE}" has been ready for {AGE}, longer than the
        queue's wait limit.{diagnosis.backlog(b, _WAIT_FIRST)}""",
        comment="""
        The age of the job at the head is a time already, so `for` only skips a single odd reading: a
        job that Dramatiq requeued from a dead worker is old when it reaches the head, and is fetched at
        once.
        """,
    )


def _stalled(b: Builder) -> Alert:
    ql, waiting = b.ql, b.ql.gauge("queue_depth", state="waiting")
    return b.alert(
        "QueueStalled",
        f"""
        {waiting} > 0
        and {ql.gauge("queue_slots")} > {ql.gauge("queue_running_jobs")}
        and {ql.recorded("queue:bioagents_job_wait_seconds_count:rate5m")} == 0
        unless ignoring (queue) {ql.recorded("fleet:bioagents_worker_slots_free:sum")} == 0
        """,
        pending="10m",
        keep_firing="10m",
        severity="critical",
        since=since.ended(b),
        board=boards.QUEUE,
        summary=of_queue(f"{counted('waiting job')}, free slots, none starts"),
        description=f"""Queue "{QUEUE}" has {COUNT} waiting jobs and workers with free slots, but no job
        has started for 15 minutes: the workers no longer fetch from this queue. First read the log of
        one of its workers for errors of a consumer thread, then restart the workers of this queue one
        after the other.""",
        comment="""
        Jobs wait, living workers have free slots, and no attempt has started for a quarter of an hour.
        Attempts that start are counted (one observation of the wait each), not jobs that end: a queue
        whose jobs may run for eight hours completes nothing for hours when all is well, but it fills a
        free slot at once. For the same reason busy slots without a completion are no stall: if a job
        runs longer than it may, JobRunningTooLong fires, and until then a long job and one that hangs
        look the same.

        Running jobs of draining workers count as running while their slots are not among the slots,
        which can only prevent the alert. A worker of several queues counts its slots in each; where
        every slot of the fleet is busy (with jobs of other queues), none is free. Workers without
        JobMetrics count no attempts, and then the alert cannot fire. keep_firing_for is that of
        QueueGrowing, which this alert inhibits.
        """,
    )


def _unserved(b: Builder) -> Alert:
    ql, waiting = b.ql, b.ql.gauge("queue_depth", state="waiting")
    workers = ql.gauge("queue_workers")
    return b.alert(
        "QueueUnserved",
        f"""
        {waiting} > 0
        and {workers} == 0
        and ignoring (queue) {workers} > 0
        unless {ql.gauge("queue_oldest_job_age_seconds")} < 60
        """,
        pending="5m",
        keep_firing="10m",
        severity="critical",
        since=since.served(b) + since.idle(b),
        board=boards.QUEUE,
        summary=of_queue(f"{counted('waiting job')}, no worker"),
        description=f"""Queue "{QUEUE}" has {COUNT} waiting jobs and no worker, while other queues of
        the fleet have workers. First check whether the workers of this queue run, and start them. If
        they run, check that they consume this queue (`--queues` of dramatiq, the queue names of the
        actors).""",
        comment="""
        Another queue of the same fleet has workers: where no worker of the fleet accepts jobs,
        NoActiveWorkers fires. A job at the head that is younger than a minute shows that someone
        fetches, if only workers without JobMetrics. keep_firing_for: as for QueueStalled.
        """,
    )


_ALERTS = (_deep, _growing, _wait_too_long, _stalled, _unserved)
