"""Rules about workers: who there is, whether there are enough of them, which are missing or drain."""

from __future__ import annotations

from bioagents_alerts import boards, diagnosis
from bioagents_alerts.builder import COUNT, FLEET, QUEUE, ROLE, Builder
from bioagents_alerts.model import Alert, Group, Record, RuleFile
from bioagents_alerts.promql import without
from bioagents_alerts.source import since, worker_health, worker_memory
from bioagents_alerts.source.worker_memory import HOST_AND_PID, INFO
from bioagents_alerts.thresholds import AT_CAPACITY, number
from bioagents_alerts.titles import WHOLE, counted, limit_of, of_fleet, of_queue, of_role

COMMENT = """
Alerts about workers. Copies of the exporter: see queues.yml.

A fault of all workers is one fault. So an alert is about a fleet, a role (the label `queues` of
worker_info: workers that consume the same queues) or a host, and its text names the worst workers. No alert
has the label `worker`: its value is a random id, which is meaningless to operators. Alertmanager groups hosts
into one message. Where a text names workers, `$in` selects the series with the alert's own labels, whatever
labels its target has.

Only WorkerRestarting and WorkerDrainHoarding compare series by worker with series of the fleet. Where
sidecars publish the former and a central copy the latter, scrape both under one job, or these two alerts do
not fire.

A worker that offers 0 slots drains. Durations are written as ranges and offsets, not as numbers of seconds,
so that copies of these rules with scaled durations work. Seconds in numbers belong to thresholds (of
growth, of attempts), which such a copy keeps.

Groups are evaluated independently of one another: a series that another group records may be one evaluation
old.
"""

_TOTAL = "fleet:bioagents_queue_workers:sum"


def rules(b: Builder) -> RuleFile:
    """The file workers.yml."""
    return RuleFile(
        "workers",
        COMMENT,
        (
            Group("bioagents-workers-inputs", (*_workers(b), *_fleet(b))),
            Group("bioagents-workers", (*_records(b), *(alert(b) for alert in _ALERTS))),
            worker_memory.memory(b),
            worker_health.load(b),
            worker_health.health(b),
        ),
    )


def _workers(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    facts = ("version", "dramatiq", "python", "monitor", "threads")
    slots, info = ql.gauge("worker_slots"), ql.gauge("worker_info")
    return (
        b.gauge("worker_info"),
        b.record(
            INFO,
            f"topk without (host, pid, queues) (1, {without('max', info, *facts)})",
            """
            Host, pid and queues of each worker, missing workers included for an hour. Other rules join it
            to their numbers. One series for each worker: two copies that disagree for a moment would make
            every join fail.
            """,
        ),
        b.gauge("worker_longest_running_job_seconds"),
        b.gauge("worker_slots"),
        b.gauge("worker_running_jobs"),
        b.gauge("worker_threads"),
        b.record(
            "host:bioagents_workers:count",
            without(
                "count",
                f"{ql.recorded(INFO)} and ignoring (host, pid, queues) {ql.gauge('worker_threads')}",
                "worker", "pid", "queues",
            ),
            "Living workers of each host, draining ones included.",
        ),
        b.record(
            "role:bioagents_worker_info:count",
            f"""
            count without (worker, host, pid, dramatiq, python, monitor) (
              {info}
              and ignoring (host, pid, queues, version, dramatiq, python, monitor, threads) {slots} > 0
            )
            """,
            "Workers of each role that accept jobs, by what should be the same for all of them.",
        ),
    )  # fmt: skip


def _fleet(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    total, free = "fleet:bioagents_worker_slots:sum", "fleet:bioagents_worker_slots_free:sum"
    slots, running = ql.gauge("worker_slots"), ql.gauge("worker_running_jobs")
    return (
        b.record(
            total,
            without("sum", slots, "worker"),
            """
            Of the whole fleet: slots, those in which no job runs, the share of the others. A draining
            worker has no slots and may run jobs, which occupy none of the others' slots.
            """,
        ),
        b.record(free, without("sum", f"clamp_min({slots} - {running}, 0)", "worker")),
        b.record(
            "fleet:bioagents_worker_slots:busy_ratio", f"1 - {ql.recorded(free)} / ({ql.recorded(total)} > 0)"
        ),
        b.record("fleet:bioagents_worker_running_jobs:sum", without("sum", running, "worker")),
    )


def _records(b: Builder) -> tuple[Record, ...]:
    workers = b.ql.gauge("queue_workers")
    return (
        b.gauge("queue_min_workers"),
        b.record(
            "queue:bioagents_queue_min_workers:in_service",
            f"""
            {b.ql.gauge("queue_min_workers")}
            and (
              {workers} > 0
              or max_over_time({workers}[1d:10m]) > 0
              or {b.ql.gauge("queue_depth", state="waiting")} > 0
            )
            """,
            """
            The minimum of workers of the queues that are in service: queues that have workers, had some
            within a day, or have waiting jobs. Redis remembers all other queues without end.
            """,
        ),
        b.gauge("queue_draining_held_jobs"),
    )


def _none(b: Builder) -> Alert:
    ql = b.ql
    total = ql.recorded(_TOTAL)
    return b.alert(
        "NoActiveWorkers",
        f"""
        (
          {total}
          or 0 * ({ql.gauge("exporter_source_success", source="fleet")} == 1)
        ) == 0
        """,
        pending="1m",
        keep_firing="10m",
        severity="critical",
        since=since.active(b) + since.lost(b) + since.idle(b),
        board=boards.WORKERS,
        summary=of_fleet(
            "no active worker"
            + b.each(
                without("sum", b.same.gauge("queue_depth", state="waiting"), "queue"),
                f", {WHOLE} waiting jobs",
            )
        ),
        description=f"""No worker of fleet "{FLEET}" accepts new jobs: none is alive, or all of them
        drain. First check whether worker processes run at all (docker compose ps, kubectl get pods,
        systemctl status), and start them. If they run, read their logs for Redis errors, and check that
        they use this fleet's Redis and namespace.""",
        comment="""
        queue_workers counts the living workers of each queue that do not drain, so the sum over the
        queues of a fleet is 0 only when no worker accepts new jobs. Where no queue is published (a
        fleet that never had a worker, a wrong namespace) while an exporter has read the heartbeats, the
        second part gives 0. Without an exporter or without Redis both parts are empty: these are other
        faults, and one fault pages once. A sidecar, which never publishes queues, has no source
        "fleet". keep_firing_for is that of QueueGrowing and others, which this alert inhibits: when
        workers are back, the backlog is no second message.
        """,
    )


def _below_minimum(b: Builder) -> Alert:
    ql, workers = b.ql, b.ql.gauge("queue_workers")
    total = ql.recorded(_TOTAL)
    minimum = b.each(b.same.gauge("queue_min_workers"), ' of {{ .Value | printf "%.0f" }}')
    return b.alert(
        "WorkersBelowMinimum",
        f"""
        (
          {workers} < {ql.recorded("queue:bioagents_queue_min_workers:in_service")}
        )
        unless ignoring (queue) {total} == 0
        unless (
          {workers} == 0
          and {ql.gauge("queue_depth", state="waiting")} > 0
        )
        """,
        pending="10m",
        keep_firing="5m",
        severity="warning",
        since=since.lost(b) + since.idle(b),
        board=boards.WORKERS,
        summary=of_queue(counted("active worker") + limit_of(b, "queue_min_workers", WHOLE, "minimum")),
        description=f"""Queue "{QUEUE}" has {COUNT} active worker(s), fewer than its minimum{minimum}.
        First check whether workers stopped, failed to start or have been draining for long, and start
        those that are missing.""",
        comment="""
        Not where another alert reports the same fault: NoActiveWorkers if the fleet has no worker,
        QueueUnserved if jobs wait and the queue has none. A queue without workers and without jobs counts,
        because the next job would wait, until it is out of service.
        """,
    )


def _missing(b: Builder) -> Alert:
    lost = b.each(f"topk(3, {since.gone(b)})", f" {HOST_AND_PID}.", sort="worker")
    return b.alert(
        "WorkerMissing",
        f"{b.ql.gauge('workers_missing')} > 0 unless {b.ql.recorded(_TOTAL)} == 0",
        pending="1m",
        keep_firing="2m",
        severity="warning",
        since=since.lost(b),
        board=boards.WORKERS,
        summary=of_fleet(f"{counted('worker')} lost within an hour"),
        description=f"""{COUNT} worker(s) of fleet "{FLEET}" stopped sending heartbeats within the last
        hour: killed, out of memory, paused or disconnected from Redis.{lost} First check whether the
        process still runs, and search the system's log for the kernel's out-of-memory killer.""",
        comment="""
        A worker that stops reports its shutdown and is never missing, so a rolling restart does not
        fire. While the fleet has no worker at all, NoActiveWorkers pages. The alert lasts until the
        worker sends heartbeats again, or an hour. `for`: after an outage of Redis all workers look
        missing until each has called again.
        """,
    )


def _config_skew(b: Builder) -> Alert:
    count = "role:bioagents_worker_info:count"
    variants = b.each(
        f"topk(4, {b.same.recorded(count)})",
        ' {{ .Value | printf "%.0f" }} worker(s) with'
        '{{ with .Labels.version }} version "{{ . }}" and{{ end }} {{ .Labels.threads }} threads.',
        sort="version",
    )
    return b.alert(
        "WorkerConfigSkew",
        f"{without('count', b.ql.recorded(count), 'version', 'threads')} > 1",
        pending="2h",
        keep_firing="5m",
        severity="warning",
        board=boards.WORKERS,
        window="6h",
        summary=of_role(counted("different configuration")),
        description=f"""Workers consuming "{ROLE}" have run with {COUNT} configurations for two
        hours.{variants} First check whether a deployment stopped half-way, and finish it or roll it
        back.""",
        comment="Draining workers are not compared: with jobs of hours, the old version drains for hours.",
    )


def _hoarding(b: Builder) -> Alert:
    ql = b.ql
    held = b.each(
        f"topk(3, {b.same.gauge('queue_draining_held_jobs')} > 0)",
        ' Queue "{{ .Labels.queue }}": {{ .Value | printf "%.0f" }} held, running ones included.',
        sort="queue",
    )
    return b.alert(
        "WorkerDrainHoarding",
        f"""
        {without("sum", ql.gauge("queue_draining_held_jobs"), "queue")}
        - sum without (worker) (
          {ql.gauge("worker_running_jobs")}
          and {ql.gauge("worker_slots")} == 0
        ) > 0
        """,
        pending="15m",
        keep_firing="5m",
        severity="warning",
        board=boards.WORKERS,
        summary=of_fleet(f"{counted('job')} held by draining workers"),
        description=f"""Draining workers of fleet "{FLEET}" hold {COUNT} prefetched jobs that no other
        worker can run until these workers have ended.{held} First check how long the running jobs still
        need; end the old workers early only if their jobs may run twice.""",
        comment="""
        What draining workers hold, less what they run: jobs in the memory of a worker that starts none,
        which no other worker can see. They return to the queue when the drain ends; a drain of minutes is
        no fault. By fleet, because running jobs are known by worker, not by queue.
        """,
    )


def _at_capacity(b: Builder) -> Alert:
    ql = b.ql
    busy = ql.recorded("fleet:bioagents_worker_slots:busy_ratio")
    first = "First add workers, or find out why jobs take longer or arrive faster than usual."
    depth = f"min_over_time({ql.series('queue_depth', state='waiting')}[15m])"
    running, slots = (
        f"avg_over_time({ql.series(name)}[15m])" for name in ("queue_running_jobs", "queue_slots")
    )
    return b.alert(
        "WorkersAtCapacity",
        f"""
        {ql.over_copies(depth, "state")} > 0
        and (
          {ql.over_copies(running)}
            / ({ql.over_copies(slots)} > 0)
          >= {number(AT_CAPACITY)}
          or (
            {ql.gauge("queue_slots")} > 0
            and ignoring (queue) avg_over_time({busy}[15m]) >= {number(AT_CAPACITY)}
          )
        )
        """,
        pending="30m",
        keep_firing="5m",
        severity="warning",
        since=since.ended(b),
        board=boards.CAPACITY,
        summary=of_queue(f"{counted('waiting job')}, all slots busy"),
        description=f"""The slots of queue "{QUEUE}" have all been busy for more than half an hour, and at
        least {COUNT} jobs were waiting at all times in the last 15 minutes.{diagnosis.backlog(b, first)}""",
        comment="""
        Not HighQueueDepth, which fires for a large backlog with any cause: here the backlog may be small,
        but it never disappears, and the cause is known: all slots are busy, so more workers help. Slots of
        a worker count in each of its queues, so queues that share workers are full when the fleet is: the
        second part. Jobs that draining workers run count as busy; a free slot would have fetched what
        waits.
        """,
    )


_ALERTS = (_none, _below_minimum, _missing, _config_skew, _hoarding, _at_capacity)
