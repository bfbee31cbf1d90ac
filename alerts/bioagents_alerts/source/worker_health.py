"""Rules about single workers, joined to their host and pid: restarts, load, clocks, threads."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import COUNT, FLEET, ROLE, Builder
from bioagents_alerts.model import Alert, Group, Record
from bioagents_alerts.promql import join, without
from bioagents_alerts.source.worker_memory import HOST_AND_PID, INFO, NAMES, named
from bioagents_alerts.thresholds import COMPARABLE, UNEVEN, number
from bioagents_alerts.titles import counted, of_fleet, of_role

_BOOTS = "host:bioagents_worker_boots:ratio1h"
_PACE, _ROLE_PACE = "worker:bioagents_worker_jobs:rate30m", "role:bioagents_worker_jobs:rate30m"
_UNEVEN, _BUSY = "worker:bioagents_worker_jobs:share_rate30m", "worker:bioagents_worker_running_jobs:avg30m"
_THREADS = "role:bioagents_worker_threads:avg"
_SKEW, _LOST = "worker:bioagents_worker_clock_skew_seconds:abs", "worker:bioagents_worker_threads_lost:sum"
_QUEUES = "worker:bioagents_worker_queues:count"


def load(b: Builder) -> Group:
    """Restarts and the distribution of jobs."""
    return Group(
        "bioagents-workers-load", (_boots(b), *_paces(b), *_processors(b), _restarting(b), _uneven(b))
    )


def _boots(b: Builder) -> Record:
    ql = b.ql
    workers = ql.over_copies(f"max_over_time(min_over_time({ql.series('queue_workers')}[2m])[1h:1m])")
    return b.record(
        _BOOTS,
        f"""
        {ql.increase("worker_boots_total", "1h", keep=("host",))}
        / (
          max_over_time(min_over_time({ql.recorded("host:bioagents_workers:count")}[2m])[1h:1m])
          or label_replace(
            {without("sum", workers, "queue")} > 0,
            "host", "(other)", "", ""
          )
        )
        """,
        """
        Boots in the last hour for each worker that the host had at its maximum, so that eight processes, or
        a scaler that starts and stops some, are no restarts. The maximum of what lasted for two minutes: a
        worker that was killed counts for 15 seconds next to the one that replaces it. The host "(other)" is
        all hosts beyond the first 1,000 (pods with a new name each time) and is compared with the whole
        fleet.
        """,
    )


def _paces(b: Builder) -> tuple[Record, ...]:
    ql, pace = b.ql, b.ql.recorded(_PACE)
    slots = ql.gauge("worker_slots")
    running = ql.over_copies(f"avg_over_time({ql.series('worker_running_jobs')}[30m])")
    return (
        b.record(
            _PACE,
            named(b, f"""
            (
              {ql.rate("worker_jobs_total", "30m")}
              and {slots} > 0
              and {ql.gauge("worker_slots", ago="30m")}
            )
            """),
            """
            Attempts per second, of workers that have accepted jobs for half an hour: a new or draining one
            completes fewer.
            """,
        ),
        b.record(_ROLE_PACE, without("avg", pace, "worker", "host", "pid"), "By role, and the share of it."),
        b.record(
            _UNEVEN,
            join(pace, "/", f"({ql.recorded(_ROLE_PACE)} > 0)", ignoring=("worker", "host", "pid")),
        ),
        b.record(_THREADS, without("avg", named(b, ql.gauge("worker_threads")), "worker", "host", "pid")),
        b.record(_BUSY, f"{named(b, running)} and {pace}"),
    )  # fmt: skip


def _processors(b: Builder) -> tuple[Record, ...]:
    cpu = "worker:bioagents_worker_cpu_seconds:rate5m"
    return (
        b.record(
            cpu,
            named(b, b.ql.rate("worker_cpu_seconds_total", "5m")),
            "For boards, which read a thousand workers at a thousand points: joins there are slow.",
        ),
        b.record(
            "fleet:bioagents_worker_cpu_seconds:rate5m", without("sum", b.ql.recorded(cpu), "worker", *NAMES)
        ),
    )


def _restarting(b: Builder) -> Alert:
    limit = b.limit("WorkerRestarting")
    hosts = b.each(
        f"topk(3, {b.same.recorded(_BOOTS)} > {limit})", ' Host "{{ .Labels.host }}".', sort="host"
    )
    return b.alert(
        "WorkerRestarting",
        f"{without('max', b.ql.recorded(_BOOTS), 'host')} > {limit}",
        pending="2m",
        severity="warning",
        board=boards.WORKERS,
        summary=of_fleet(f'{{{{ $value | printf "%.1f" }}}} starts per worker within an hour, limit {limit}'),
        description=f"""Workers on a host of fleet "{FLEET}" started {{{{ $value | printf "%.1f" }}}} times
        per worker in the last hour.{hosts} First read the last lines of the workers' logs, and find out why
        each one ended.""",
        comment="""
        A deployment or a rolling restart starts each worker once, a deployment and its rollback twice;
        three are allowed, and half a start more because `increase` extrapolates.
        """,
    )


def _uneven(b: Builder) -> Alert:
    ql, busy = b.ql, b.ql.recorded(_BUSY)
    slowest = b.each(
        f"bottomk(3, {b.same.recorded(_PACE)})",
        f' {HOST_AND_PID}: {{{{ .Value | printf "%.2g" }}}} per second.',
        sort="worker",
    )
    average = join(
        busy,
        "<",
        f"0.5 * {without('avg', busy, 'worker', 'host', 'pid')}",
        ignoring=("worker", "host", "pid"),
    )
    return b.alert(
        "WorkersUneven",
        f"""
        count without (worker, host, pid) (
          {ql.recorded(_UNEVEN)} < {number(UNEVEN)}
          and (
            {average}
          )
        )
        and ({ql.recorded(_ROLE_PACE)} > {ql.recorded(_THREADS)} * {COMPARABLE} / 1800)
        """,
        pending="30m",
        keep_firing="10m",
        severity="warning",
        board=boards.WORKERS,
        summary=of_role(f"{COUNT} far slower than the average"),
        description=f"""{COUNT} worker(s) consuming "{ROLE}" complete less than a fifth of the average, and
        are not busy.{slowest} First compare the logs of a slow and a fast worker; if they show no cause,
        restart the slow one gracefully.""",
        comment="""
        Workers that complete less than a fifth of the average of their role, although they are not busier
        with longer jobs. Only where each slot completes 40 attempts in half an hour: a worker fetches two
        jobs for each slot at once, so with fewer and longer jobs the load varies at random.
        """,
    )


def health(b: Builder) -> Group:
    """Clocks, heartbeats and threads."""
    return Group(
        "bioagents-workers-health",
        (*_clocks(b), *_ages(b), *_threads(b), _clock_skew(b), _threads_lost(b)),
    )


def _clocks(b: Builder) -> tuple[Record, ...]:
    skew = f"abs({b.ql.gauge('worker_clock_skew_seconds')})"
    return (
        b.gauge("worker_clock_skew_seconds"),
        b.record(_SKEW, named(b, skew)),
        b.record("fleet:bioagents_worker_clock_skew_seconds:max", without("max", skew, "worker")),
    )


def _ages(b: Builder) -> tuple[Record, ...]:
    heartbeat = "worker_last_heartbeat_timestamp_seconds"
    return (
        b.gauge(heartbeat, "For boards, joined once to the names of the workers."),
        b.record(
            "worker:bioagents_worker_heartbeat_age_seconds:min",
            named(b, f"(time() - {b.ql.gauge(heartbeat)})"),
        ),
        b.record(
            "worker:bioagents_worker_flush_age_seconds:max", named(b, b.ql.gauge("worker_flush_age_seconds"))
        ),
    )


def _listed(pattern: str) -> str:
    return f'queues=~"{pattern}"'


def _threads(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    several = [(count, f"(?s:(.*,){{{count - 1}}}.*)") for count in range(8, 2, -1)] + [(2, "(?s:.*,.*)")]
    counts = [f"{count} * {ql.recorded(INFO, where=(_listed(pattern),))}" for count, pattern in several]
    queues = "\n              or ".join([*counts, ql.recorded(INFO, where=('queues!=""',))])
    threads, slots, running = (ql.gauge(f"worker_{name}") for name in ("threads", "slots", "running_jobs"))
    return (
        b.gauge("worker_consumer_threads"),
        b.record(
            _QUEUES,
            f"""
            max without (host, pid, queues) (
              {queues}
            )
            """,
            """
            How many queues a worker consumes, from the commas of its list. More than eight count as eight:
            a lost pair of threads may then be missed, but there are no false positives. Dramatiq's actors
            take no queue name with a comma.
            """,
        ),
        b.record(
            _LOST,
            named(b, f"""
            (
              clamp_min({threads} - {slots}, 0)
              + clamp_min(2 * {ql.recorded(_QUEUES)} - {ql.gauge("worker_consumer_threads")}, 0)
              and {slots} > 0
              or {threads}
                and {slots} == 0
                and {running} == 0
              or 0 * {threads}
            )
            """),
            """
            Threads that died in a living process; 0 for a worker that has all, or drains. Each queue has
            two consumer threads, one of them for its delayed jobs. Without slots a worker drains, or all
            its worker threads are dead: if it runs no job either, a draining one ends within seconds.
            """,
        ),
    )  # fmt: skip


def _clock_skew(b: Builder) -> Alert:
    limit = b.limit("WorkerClockSkew")
    signed = f"ignoring (host, pid, queues) {b.same.gauge('worker_clock_skew_seconds')}"
    worst = "".join(
        b.each(
            f"topk(3, {b.same.recorded(_SKEW)} > {limit} and {signed} {sign} 0)",
            f' Host "{{{{ .Labels.host }}}}": {{{{ .Value | printf "%.0f" }}}} s {direction}.',
            sort="worker",
        )
        for sign, direction in ((">", "ahead"), ("<", "behind"))
    )
    return b.alert(
        "WorkerClockSkew",
        f"{b.ql.recorded('fleet:bioagents_worker_clock_skew_seconds:max')} > {limit}",
        pending="5m",
        keep_firing="5m",
        severity="warning",
        board=boards.WORKERS,
        summary=of_fleet(f"the clock of a worker differs by {COUNT} s, limit {limit} s"),
        description=f"""The clock of a worker of fleet "{FLEET}" differs by {COUNT} s from the clock of
        Redis; from 60 s on, running jobs may be started a second time.{worst} First check whether time
        synchronisation runs on the workers' hosts, or on the Redis server if all hosts are listed.""",
        comment="""
        By fleet: if the clock of Redis is wrong, all workers differ from it. Dramatiq considers a worker
        dead whose clock is a minute behind, and runs its jobs a second time.
        """,
    )


def _threads_lost(b: Builder) -> Alert:
    lost = b.ql.recorded(_LOST)
    worst = b.each(
        f"topk(3, {b.same.recorded(_LOST)} > 0)",
        f' {HOST_AND_PID}: {{{{ .Value | printf "%.0f" }}}} lost.',
        sort="worker",
    )
    return b.alert(
        "WorkerThreadsLost",
        f"""
        count without (worker, host, pid, queues) (
          {lost} > 0 and min_over_time({lost}[5m]) > 0
        )
        """,
        pending="5m",
        keep_firing="5m",
        severity="warning",
        board=boards.WORKERS,
        summary=of_fleet(f"{counted('worker')} with lost threads"),
        description=f"""{COUNT} worker(s) of fleet "{FLEET}" are alive, but some of their threads ended:
        they run fewer jobs, or no longer fetch from a queue or its delayed jobs and retries.{worst} First
        restart these workers gracefully (SIGTERM), one after the other: such threads do not start
        again.""",
        comment="""
        By fleet: one outage of Redis ends the same thread in every worker. Each worker must have lost its
        threads for five minutes, because in a long rolling restart some worker is always about to end.
        """,
    )
