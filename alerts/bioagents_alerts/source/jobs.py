"""Rules about jobs: failures, retries, run time, quantiles."""

from __future__ import annotations

from bioagents_alerts import boards
from bioagents_alerts.builder import ACTOR, AGE, COUNT, QUEUE, SHARE, Builder
from bioagents_alerts.diagnosis import OLDEST_JOB, oldest_jobs
from bioagents_alerts.model import Alert, Group, Record, RuleFile
from bioagents_alerts.promql import without
from bioagents_alerts.source import since
from bioagents_alerts.thresholds import percent
from bioagents_alerts.titles import PERCENT, TIME, counted, limit_of, of_queue, title

COMMENT = """
Alerts about jobs. Copies of the exporter: see queues.yml. For counters the rate comes first, then the
maximum of the copies, because a maximum over counters would show resets that never happened.

The label wire marks counts of workers of the previous wire version. They run jobs of the same queues, so it
is summed over, after rate().
"""

_ACTOR = ("queue", "actor")


def rules(b: Builder) -> RuleFile:
    """The file jobs.yml."""
    failures = (_high_rate(b), _high_ratio(b), _retries(b))
    limit = b.gauge("queue_failure_ratio_limit")
    running = (
        b.gauge("queue_longest_running_job_seconds"),
        b.gauge("queue_job_duration_limit_seconds"),
        _too_long(b),
        _poison(b),
    )
    return RuleFile(
        "jobs",
        COMMENT,
        (
            Group("bioagents-jobs", (*_rates(b), *_ratios(b), limit, *failures)),
            Group("bioagents-jobs-running", running),
            Group("bioagents-jobs-quantiles", _quantiles(b)),
        ),
    )


def _rates(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    failures = "exception:bioagents_job_failures:rate5m"
    dead = "actor:bioagents_jobs_dead:rate5m"
    return (
        b.record(
            "actor:bioagents_job_attempts:rate5m",
            ql.rate("jobs_processed_total", "5m", keep=_ACTOR),
            "What alerts and boards share. A group evaluates its rules in order.",
        ),
        b.record("actor:bioagents_jobs_succeeded:rate5m", ql.rate("jobs_succeeded_total", "5m", keep=_ACTOR)),
        b.record(failures, ql.rate("job_failures_total", "5m", keep=(*_ACTOR, "exception"))),
        b.record("actor:bioagents_job_failures:rate5m", without("sum", ql.recorded(failures), "exception")),
        b.record(dead, ql.rate("jobs_dead_total", "5m", keep=_ACTOR)),
        b.record("actor:bioagents_jobs_skipped:rate5m", ql.rate("jobs_skipped_total", "5m", keep=_ACTOR)),
        b.record("actor:bioagents_job_retries:rate5m", ql.rate("job_retries_total", "5m", keep=_ACTOR)),
        b.record(
            "exception:bioagents_jobs_dead:rate5m_raised",
            f"{ql.recorded(failures)} > 0 and ignoring (exception) ({ql.recorded(dead)} > 0)",
            """
            The exceptions of actors whose jobs become dead letters: the nearest to a cause that counts can
            show. Only for boards, where a join at every point would take too long.
            """,
        ),
        *(
            b.record(
                f"queue:bioagents_{name}:rate5m",
                without("sum", ql.recorded(f"actor:bioagents_{name}:rate5m"), "actor"),
            )
            for name in ("job_attempts", "job_failures", "job_retries", "jobs_succeeded", "jobs_dead")
        ),
    )


def _ratios(b: Builder) -> tuple[Record, ...]:
    def rate(level: str, what: str) -> str:
        return b.ql.recorded(f"{level}:bioagents_job_{what}:rate5m")

    comments = {
        "queue": """
        Absent without attempts: `> 0` avoids 0 / 0. Copies that are scraped at different moments may see
        slightly more failures than attempts; the share is limited to 1.
        """
    }
    return tuple(
        b.record(
            f"{level}:bioagents_job_failures:ratio_rate5m",
            f"clamp_max({rate(level, 'failures')} / ({rate(level, 'attempts')} > 0), 1)",
            comments.get(level, ""),
        )
        for level in ("queue", "actor")
    )


def _quantiles(b: Builder) -> tuple[Record, ...]:
    comment = """
    Quantiles. Buckets are summed once, in series of their own: first by actor, then of all actors of a
    queue, for the quantiles and heat maps of both and for the wait objective. The maximum of the copies
    keeps buckets cumulative, as each copy's are. `>= 0` drops NaN, the quantile of an empty histogram.
    """
    return (
        *_quantiles_of(b, "job_wait_seconds", comment),
        *buckets(b, "job_duration_seconds"),
        *_quantiles_of(b, "job_duration_seconds", ""),
    )


def buckets(b: Builder, metric: str, comment: str = "") -> tuple[Record, ...]:
    """The buckets of a histogram per second, by actor and by queue."""
    by_actor, by_queue = _bucket_records(metric)
    return (
        b.record(by_actor, b.ql.rate(f"{metric}_bucket", "5m", keep=(*_ACTOR, "le")), comment),
        b.record(by_queue, without("sum", b.ql.recorded(by_actor), "actor")),
    )


def _bucket_records(metric: str) -> tuple[str, str]:
    return f"actor:bioagents_{metric}_bucket:rate5m", f"queue:bioagents_{metric}_bucket:rate5m"


def _quantiles_of(b: Builder, metric: str, comment: str) -> tuple[Record, ...]:
    by_actor, by_queue = _bucket_records(metric)

    def quantile(level: str, buckets: str, share: float, comment: str = "") -> Record:
        return b.record(
            f"{level}:bioagents_{metric}:p{share * 100:.0f}_rate5m",
            f"histogram_quantile({share}, {b.ql.recorded(buckets)}) >= 0",
            comment,
        )

    return (
        quantile("actor", by_actor, 0.5, comment),
        quantile("actor", by_actor, 0.95),
        *(quantile("queue", by_queue, share) for share in (0.5, 0.95, 0.99)),
    )


def _high_rate(b: Builder) -> Alert:
    limit = b.limit("HighJobFailureRate")
    cause = f"topk(1, rate({b.same.series('job_failures_total')}[5m]) > 0)"
    return b.alert(
        "HighJobFailureRate",
        f"{b.ql.recorded('queue:bioagents_job_failures:rate5m')} > {limit}",
        pending="5m",
        keep_firing="10m",
        severity="warning",
        since=since.failures(b),
        board=boards.ACTOR,
        actor=cause,
        summary=of_queue(f'{{{{ $value | printf "%.2f" }}}} failures per second, limit {limit}'),
        description=f"""Queue "{QUEUE}" has {{{{ $value | printf "%.2f" }}}} failures per second, more than
        {limit}.{b.each(cause, ' Most failures are {{ .Labels.exception }} in actor "{{ .Labels.actor }}".')}
        First search the workers' logs for the exception.""",
        comment="""
        Summed by queue: series by actor and exception would each stay below the threshold. keep_firing_for
        is longer than that of HighJobFailureRatio, which this alert inhibits: a fault that is fixed is not
        reported again.
        """,
    )


def _high_ratio(b: Builder) -> Alert:
    ql = b.ql
    cause = f"topk(1, rate({b.same.series('job_failures_total')}[30m]) > 0)"
    failures, attempts = "job_failures_total", "jobs_processed_total"
    return b.alert(
        "HighJobFailureRatio",
        f"""
        (
          (
            {ql.recorded("queue:bioagents_job_failures:ratio_rate5m")}
            and
            {ql.increase(attempts, "5m", keep=("queue",))} >= 10
          )
          or
          (
            clamp_max(
              {ql.rate(failures, "1h", keep=("queue",))}
                / {ql.rate(attempts, "1h", keep=("queue",))},
              1
            )
            and
            {ql.increase(attempts, "1h", keep=("queue",))} >= 10
            and
            {ql.rate(failures, "30m", keep=("queue",))} > 0
          )
        )
          > {ql.gauge("queue_failure_ratio_limit")}
        """,
        pending="5m",
        keep_firing="5m",
        severity="warning",
        since=since.failures(b),
        board=boards.ACTOR,
        actor=cause,
        summary=of_queue(f"{SHARE} of attempts failed" + limit_of(b, "queue_failure_ratio_limit", PERCENT)),
        description=f"""{SHARE} of the attempts in queue "{QUEUE}" failed, more than the queue's
        limit.{b.each(cause, ' Most failures are {{ .Labels.exception }} in actor "{{ .Labels.actor }}".')}
        First search the workers' logs for the exception.""",
        comment="""
        The share of the last five minutes where they had ten attempts, else that of the last hour where it
        had ten and one failed within the last half hour. One failed attempt of one proves nothing, and one
        job that fails alone, retried by Dramatiq's defaults, makes at most six attempts in five minutes and
        nine in an hour. An hour, because a queue of long jobs never has ten attempts in five minutes.
        keep_firing_for: the limit is a gauge, which is absent while Redis cannot be read.
        """,
    )


def _too_long(b: Builder) -> Alert:
    ql = b.ql
    return b.alert(
        "JobRunningTooLong",
        f"{ql.gauge('queue_longest_running_job_seconds')} > {ql.gauge('queue_job_duration_limit_seconds')}",
        pending="5m",
        keep_firing="5m",
        severity="warning",
        since=b.each(oldest_jobs(b, 3), OLDEST_JOB),
        board=boards.QUEUE,
        summary=of_queue(f"a job runs for {AGE}" + limit_of(b, "queue_job_duration_limit_seconds", TIME)),
        description=f"""A job of queue "{QUEUE}" has been running for {AGE}, longer than the queue's limit,
        and occupies a slot. First find its worker: the runbook has the command that lists running jobs with
        their ages; then read that worker's log.""",
        comment="keep_firing_for: a restart of the exporter, or a moment without Redis, does not end a job.",
    )


def _retries(b: Builder) -> Alert:
    ql, limit = b.ql, b.threshold("JobRetryStorm")
    cause = f"topk(1, rate({b.same.series('job_retries_total')}[5m]) > 0)"
    attempts = ql.recorded("queue:bioagents_job_attempts:rate5m")
    return b.alert(
        "JobRetryStorm",
        f"""
        {ql.recorded("queue:bioagents_job_retries:rate5m")} / ({attempts} > 0) > {b.limit("JobRetryStorm")}
        and
        {ql.increase("job_retries_total", "5m", keep=("queue",))} >= 30
        unless
        {ql.recorded("queue:bioagents_job_failures:ratio_rate5m")} > {ql.gauge("queue_failure_ratio_limit")}
        """,
        pending="10m",
        severity="warning",
        since=since.began(b, "queue:bioagents_job_retries:rate5m", "Attempts have ended in retries"),
        board=boards.ACTOR,
        actor=cause,
        summary=of_queue(f"{SHARE} of attempts are retried, limit {percent(limit)}"),
        description=f"""{SHARE} of the attempts in queue "{QUEUE}" end in a retry, more than
        {percent(limit)}.{b.each(cause, ' Most retries are of actor "{{ .Labels.actor }}".')} Actors
        postpone these jobs (Retry, rate limits); they do not fail. First find out what the actors wait for:
        a rate limit, a lock, or a service that asks to retry later.""",
        comment="""
        Where failures explain the retries, HighJobFailureRatio fires with the cause and this alert does
        not. What is left are jobs that are retried without failing (Retry, RateLimitExceeded), which no
        failure count shows.
        """,
    )


def _poison(b: Builder) -> Alert:
    ql = b.ql
    return b.alert(
        "PoisonJob",
        f"""
        {ql.increase("jobs_redelivered_total", "2h", keep=_ACTOR)} >= 3
        and ignoring (queue, actor)
        resets((0 - {ql.gauge("workers_missing")})[2h:5m]) >= 3
        """,
        severity="warning",
        since=since.lost(b),
        board=boards.ACTOR,
        window="6h",
        summary=title(f"Actor {ACTOR}", f"{counted('restart')} of jobs whose worker was lost"),
        description=f"""Jobs of actor "{ACTOR}" in queue "{QUEUE}" started again {COUNT} times within two
        hours because the worker that ran them was lost, and workers were lost at three different times or
        more. First look for OOM kills and crashes where workers run; the runbook shows how to find the
        job.""",
        comment="""
        The metrics name no job. They show that jobs of one actor were started again three times because
        their worker was lost, and that workers were lost at three different times. One kill -9 requeues at
        most one job for each thread of the worker, and a host that crashes requeues those of several
        workers, but all at one time; a rolling restart loses no worker. A gauge that rises is its negative
        that is "reset"; rises within one step of five minutes are one loss. Two hours, because Dramatiq
        requeues a job only now and then, in a quiet fleet after a quarter of an hour. The event is the
        alert, so there is no `for`.
        """,
    )
