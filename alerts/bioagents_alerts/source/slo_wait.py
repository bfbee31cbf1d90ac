"""What the wait objective counts: jobs that started, those that started late, late ones that still wait."""

from __future__ import annotations

from typing import Final

from bioagents_alerts.builder import Builder
from bioagents_alerts.model import Record
from bioagents_alerts.source import jobs
from bioagents_alerts.thresholds import number
from bioagents_worker.wire import BUCKETS

BOUND: Final = "queue:bioagents_wait_slo_bound_seconds:max"
#: Attempts per second that started.
STARTED: Final = "queue:bioagents_job_wait_seconds_count:rate5m"
#: How many waiting jobs are late.
LATE: Final = "queue:bioagents_wait_slo_waiting_late:min"

_LIMIT: Final = "queue:bioagents_wait_slo_limit_seconds:max"
_STARTED_LATE: Final = "queue:bioagents_wait_slo_started_late:rate5m"
_NOT_STARTED: Final = "queue:bioagents_wait_slo_not_started:min"
_MORE_LATE: Final = "queue:bioagents_wait_slo_waiting_late:rate5m"
_ERRORS: Final = "queue:bioagents_wait_slo_errors:rate5m"
_STARTED_1H: Final = "queue:bioagents_job_wait_seconds_count:increase1h"
_MINUTE, _HOUR = 60, 3600
#: The bounds from a minute on, which a rule can look back, and the same as durations.
_AGO: Final = {
    bound: f"{bound / _HOUR:.0f}h" if bound >= _HOUR else f"{bound / _MINUTE:.0f}m"
    for bound in BUCKETS
    if bound >= _MINUTE
}


def rates(b: Builder) -> tuple[Record, ...]:
    """Jobs that started, by how long they had waited."""
    ql, bound = b.ql, b.ql.recorded(BOUND)
    return (
        *jobs.buckets(b, "job_wait_seconds", "The wait of attempts that started, by bucket."),
        b.record(
            STARTED,
            ql.rate("job_wait_seconds_count", "5m", keep=("queue",)),
            "Attempts per second that started.",
        ),
        b.gauge("queue_wait_limit_seconds"),
        b.record(
            BOUND,
            _bound(b),
            """
            A histogram shows only how many jobs started within one of its bounds. A limit between two
            bounds counts as the lower one, so no late job is counted as good; this series is the bound
            that counts, which the alerts name. A limit below the lowest bound counts as the lowest one. The
            bounds are those of the wire format.
            """,
        ),
        b.record(
            _STARTED_LATE,
            f"""
            clamp_min(
              {ql.recorded(STARTED)}
              - sum without (le) (
                {ql.recorded("queue:bioagents_job_wait_seconds_bucket:rate5m")}
                and
                label_replace(
                  {ql.across_copies("count_values")} ("le", {bound}),
                  "le", "$1.0", "le", "([0-9]+)"
                )
              ),
              0
            )
            """,
            """
            Of them, those that had waited longer than the bound: all but the queue's own bucket.
            count_values turns the bound into the text of a label, 300 into "300"; the exporter and
            Prometheus 3 write such a bound as "300.0".
            """,
        ),
    )  # fmt: skip


def _bound(b: Builder) -> str:
    limit = b.ql.recorded(_LIMIT)
    *higher, lowest = sorted(BUCKETS, reverse=True)
    bounds = [f"clamp_max({limit} >= {number(bound)}, {number(bound)})" for bound in higher]
    return "\nor ".join([*bounds, f"clamp({limit}, {number(lowest)}, {number(lowest)})"])


def judged(b: Builder) -> tuple[Record, ...]:
    """Jobs that are known to be good or late: those that started, and the late ones that wait."""
    ql, late, bound = b.ql, b.ql.recorded(LATE), b.ql.recorded(BOUND)
    waiting, missing = b.ql.gauge("queue_depth", state="waiting"), b.ql.recorded(_NOT_STARTED)
    ago = f"({late} offset 5m)"
    return (
        b.record(_STARTED_1H, ql.increase("job_wait_seconds_count", "1h", keep=("queue",))),
        b.record(
            _NOT_STARTED,
            _not_started(b),
            """
            Of the jobs that waited at the time of the bound before, those that have not started since. Jobs
            start in the order in which they wait; those that a worker had fetched already make it lower. A
            bound below a minute counts as a minute here.
            """,
        ),
        b.record(
            LATE,
            f"""
            (
              {missing} < {waiting}
              or {waiting} and {missing}
            )
            and {ql.gauge("queue_oldest_job_age_seconds")} > {bound}
            or 0 * {bound}
            """,
            "How many waiting jobs are late, at least: none where the next job is not.",
        ),
        b.record(
            _MORE_LATE,
            f"""
            ({late} - {ago}) / (timestamp({late}) - timestamp({late} offset 5m))
            or 0 * {bound}
            """,
            """
            How many more per second. The seconds are those between the two samples, so that copies of these
            rules with scaled durations work.
            """,
        ),
        b.record(
            "queue:bioagents_wait_slo_events:rate5m",
            f"{ql.recorded(STARTED)} + {ql.recorded(_MORE_LATE)}",
            """
            Jobs per second that started or became late, each once: below 0 for a moment where jobs that
            were late are deleted.
            """,
        ),
        b.record(
            _ERRORS,
            f"{ql.recorded(_STARTED_LATE)} + {ql.recorded(_MORE_LATE)}",
            "Of them, the late ones.",
        ),
    )  # fmt: skip


def _not_started(b: Builder) -> str:
    ql, bound, shortest = b.ql, b.ql.recorded(BOUND), min(_AGO)

    def since(seconds: float, ago: str) -> str:
        before = ql.over_copies(f"{ql.series('queue_depth', state='waiting')} offset {ago}", "state")
        started = _started(b, ago)
        this = f"{bound} <= {number(seconds)}" if seconds == shortest else f"{bound} == {number(seconds)}"
        return f"{before}\n  - {started}\n  and {this}"

    parts = "\nor\n".join(since(seconds, ago) for seconds, ago in _AGO.items())
    return f"clamp_min(\n{parts},\n0)"


def _started(b: Builder, window: str) -> str:
    if window == "1h":
        return b.ql.recorded(_STARTED_1H)
    return b.ql.increase("job_wait_seconds_count", window, keep=("queue",))


def ratio(errors: str, events: str, started: str) -> str:
    """The share of late jobs.

    While a backlog is worked off, most jobs that start are late and counted already. What is left of two
    large numbers is then small and not exact, so it is compared with a tenth of the starts at least.
    """
    return f"""
    clamp_min({errors}, 0)
      / ((
        {events} > 0.1 * {started}
        or 0.1 * {started}
      ) > 0)
    """


def late_jobs(b: Builder, window: str) -> str:
    """How many jobs were late within a window: the share of the starts, and how many more wait."""
    ql, late = b.ql, b.ql.recorded(LATE)
    started_late, started = (
        f"sum_over_time({ql.recorded(one)}[{window}])" for one in (_STARTED_LATE, STARTED)
    )
    return f"""
    clamp_min(
      (
        {started_late} / ({started} > 0)
          * {_started(b, window)}
        or 0 * {late}
      )
      + ({late} - ({late} offset {window} or 0 * {late})),
      0
    )
    """
