"""Rules about jobs of a queue that no worker will run: lost ones, and dead letters."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import COUNT, QUEUE, Builder
from bioagents_alerts.model import Alert, Group
from bioagents_alerts.source import since
from bioagents_alerts.titles import counted, of_queue


def lost(b: Builder) -> Group:
    """Orphaned, stuck, unheld and overdue jobs."""
    records = tuple(b.gauge(f"queue_{kind}_jobs") for kind in ("orphaned", "stuck", "overdue_delayed"))
    return Group(
        "bioagents-queues-lost-jobs",
        (*records, _orphaned(b), _stuck(b), _unheld(b), _overdue(b)),
        """
        Orphaned, stuck, unheld and overdue jobs are read in the background, one queue after the other. A
        reading that is older than five minutes does not count: what follows from it must not outlive it,
        and each `for` here is longer than that. If readings stay old, ExporterReadStale fires.
        """,
    )


def _fresh(b: Builder, metric: str) -> str:
    """The gauge of all copies whose background readings are fresh."""
    age = b.ql.series("exporter_source_age_seconds", source="audit")
    return b.ql.over_copies(f"{b.ql.series(metric)} and ignoring (queue, source) {age} < 300")


def _orphaned(b: Builder) -> Alert:
    return b.alert(
        "JobsOrphaned",
        f"""
        {_fresh(b, "queue_orphaned_jobs")} > 0
        and ignoring (queue) {b.ql.gauge("queue_workers")} > 0
        """,
        pending="1h",
        keep_firing="10m",
        severity="warning",
        since=since.lost(b),
        board=boards.QUEUE,
        window="6h",
        summary=of_queue(f"{counted('orphaned job')} for an hour"),
        description=f"""Queue "{QUEUE}" has had orphaned jobs for an hour, {COUNT} now: dead workers hold
        them, and Dramatiq has not requeued them. First check whether living workers of this queue fetch
        jobs: if all their slots are busy with long jobs, one more worker requeues the orphans.""",
        comment="""
        Dramatiq requeues jobs of dead workers by itself, so this alert waits for the ones that it does not.
        Dramatiq looks after a minute at the earliest, and then with one command in a thousand on this
        queue: with a single idle worker that takes 12 minutes on average, with two 6, so an hour is enough
        in 99 of 100 cases. Every restart leaves a few orphans (a consumer that stops forgets its last
        fetch); they too are requeued within the hour. Workers with a full prefetch send no command, and
        then it takes as long as their jobs run: this is what the alert finds.

        Without any worker in the fleet nothing can requeue them: NoActiveWorkers fires, and the hour starts
        again. keep_firing_for: a background reading of all queues takes a while.
        """,
    )


def _stuck(b: Builder) -> Alert:
    return b.alert(
        "JobsStuck",
        f"{_fresh(b, 'queue_stuck_jobs')} > 0",
        pending="10m",
        keep_firing="10m",
        severity="warning",
        board=boards.QUEUE,
        summary=of_queue(counted("stuck job")),
        description=f"""Queue "{QUEUE}" has {COUNT} stuck jobs: Redis assigns them to workers that no longer
        hold them; they do not run until these workers restart. First restart the workers of this queue one
        after the other; Dramatiq requeues the jobs some minutes later.""",
        comment="""
        The exporter compares at least three readings with later heartbeats before it calls a job stuck, so
        it takes a while to appear; `for` skips what a short outage of Redis leaves for a moment.
        """,
    )


def _unheld(b: Builder) -> Alert:
    return b.alert(
        "LedgerMismatch",
        f"{_fresh(b, 'queue_unheld_jobs')} > 0",
        pending="10m",
        keep_firing="10m",
        severity="warning",
        board=boards.QUEUE,
        summary=of_queue(f"{counted('job')} that no worker can run"),
        description=f"""Queue "{QUEUE}" has {COUNT} jobs that neither wait nor are held by any worker: no
        worker will ever run them. First find out who deleted keys of this queue in Redis, or whether Redis
        evicted them; the messages still exist and can be sent again.""",
        comment="""
        Every job waits or is held by a worker; a job that does neither cannot start. The exporter shows the
        smallest of three readings, so a job between two commands is not among them.
        """,
    )


def _overdue(b: Builder) -> Alert:
    ql = b.ql
    return b.alert(
        "DelayedJobsOverdue",
        f"""
        (
          {_fresh(b, "queue_overdue_delayed_jobs")}
          unless
            {ql.gauge("queue_overdue_delayed_jobs")}
              <= {ql.gauge("queue_orphaned_jobs")} + {ql.gauge("queue_stuck_jobs")}
        ) > 0
        and ignoring (queue) {ql.gauge("queue_workers")} > 0
        """,
        pending="10m",
        keep_firing="10m",
        severity="warning",
        since=since.ended(b),
        board=boards.QUEUE,
        summary=of_queue(counted("overdue delayed job")),
        description=f"""Queue "{QUEUE}" has {COUNT} delayed jobs whose time has passed, and no worker has
        moved them to the queue. First restart the workers of this queue one after the other: after Redis
        was full, read-only or slow, the thread that fetches delayed jobs exits and does not restart.""",
        comment="""
        Only what nothing else explains: overdue jobs of a dead worker are orphaned, those that a living
        worker lost are stuck, and both have an alert. What remains is in the list of delayed jobs and is
        not fetched: the consumer of that list has ended, it is full of jobs that are due later, or the
        queue has no worker. Without any worker in the fleet NoActiveWorkers fires.
        """,
    )


def dead_letters(b: Builder) -> Group:
    """Jobs that became dead letters, and dead letters that Dramatiq will delete."""
    records = (
        b.gauge("queue_depth", state="dead"),
        b.gauge("queue_dead_expiring_jobs"),
        b.gauge("queue_dead_oldest_age_seconds"),
    )
    return Group("bioagents-queues-dead-letters", (*records, _dead(b), _expiring(b)))


def _dead(b: Builder) -> Alert:
    ql, failures = b.ql, b.same.series("job_failures_total")
    cause = f"topk(1, sum by (exception) ({failures} - {failures} offset 30m or {failures}) > 0)"
    return b.alert(
        "DeadLetters",
        f"""
        {ql.increase("jobs_dead_total", "30m", keep=("queue",))} > 0
        or
        {ql.gauge("queue_depth", state="dead")} - {ql.gauge("queue_depth", state="dead", ago="30m")} > 0
        """,
        severity="warning",
        since=since.dead(b),
        board=boards.QUEUE,
        summary=of_queue(f"{counted('new dead letter')} within 30 minutes"),
        description=f"""Queue "{QUEUE}" has {COUNT} new dead letters within 30 minutes: Dramatiq will not
        retry these jobs.{b.each(cause, " Most failures are {{ .Labels.exception }}.")} First search the
        workers' logs for the traceback, and fix the cause before the jobs are sent again.""",
        comment="""
        New ones: those that workers counted, or else the increase of the dead letters within half an hour
        (an actor that no worker declares begins as a new series, which has no rate, and workers without
        JobMetrics count nothing). The event is the alert, so there is no `for`. It ends half an hour after
        the last one. The dead letters stay, and DeadLettersExpiring fires before Dramatiq deletes them.
        """,
    )


def _expiring(b: Builder) -> Alert:
    ql = b.ql
    return b.alert(
        "DeadLettersExpiring",
        f"""
        {ql.gauge("queue_dead_expiring_jobs")} > 0
        and {ql.gauge("queue_dead_oldest_age_seconds")} > 86400
        """,
        pending="15m",
        keep_firing="5m",
        severity="warning",
        board=boards.QUEUE,
        window="7d",
        summary=of_queue(f"{counted('dead letter')} deleted within 24 hours"),
        description=f"""Queue "{QUEUE}" has {COUNT} dead letters that Dramatiq deletes within 24 hours,
        without a trace. First decide whether these jobs are still wanted: if so, save them or send them
        again today.""",
        comment="""
        Where dead letters are kept for a day or less, all of them would always be about to expire:
        DeadLetters has reported them, and this alert does not fire, because none is older than a day.
        """,
    )
