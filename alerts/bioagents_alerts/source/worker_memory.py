"""Rules about the memory of workers, and what identifies a worker to people: host, pid and queues."""

from __future__ import annotations

import textwrap

from bioagents_alerts import boards
from bioagents_alerts.builder import HOST, ROLE, SHARE, Builder
from bioagents_alerts.model import Alert, Group, Record
from bioagents_alerts.promql import join
from bioagents_alerts.thresholds import percent
from bioagents_alerts.titles import of_role, title

INFO = "worker:bioagents_worker_info:max"
#: The labels that the join with INFO adds to a worker.
NAMES = ("host", "pid", "queues")
#: Of one worker, in a text.
HOST_AND_PID = 'Host "{{ .Labels.host }}" pid {{ .Labels.pid }}'

_RSS = "worker:bioagents_worker_memory_rss_bytes:max"
_LIMIT = "worker:bioagents_worker_memory_limit_bytes:max"
_USED = "worker:bioagents_worker_memory:ratio"
_GROWTH = "worker:bioagents_worker_memory_rss_bytes:deriv6h"
_LEAK = "worker:bioagents_worker_memory_leak:deriv6h"


def named(b: Builder, by_worker: str) -> str:
    """The same with the host, the pid and the queues of each worker."""
    return join(textwrap.dedent(by_worker).strip(), "*", b.ql.recorded(INFO), ignoring=NAMES, take=NAMES)


def memory(b: Builder) -> Group:
    """Memory of workers and hosts."""
    return Group("bioagents-workers-memory", (*_memory(b), *_growth(b), _memory_high(b), _memory_leak(b)))


def _memory(b: Builder) -> tuple[Record, ...]:
    ql = b.ql
    rss, limit = (ql.gauge(f"worker_memory_{name}_bytes") for name in ("rss", "limit"))
    return (
        b.record(_RSS, named(b, rss)),
        b.record(_LIMIT, named(b, limit)),
        b.record(_USED, f"{ql.recorded(_RSS)} / ({ql.recorded(_LIMIT)} > 0)"),
        b.record(
            "host:bioagents_worker_memory:ratio",
            f"""
            (
              sum without (worker, pid, queues) ({ql.recorded(_USED)})
              and (
                max without (worker, pid, queues) ({ql.recorded(_LIMIT)})
                == min without (worker, pid, queues) ({ql.recorded(_LIMIT)})
              )
            )
            or max without (worker, pid, queues) ({ql.recorded(_USED)})
            """,
            """
            A control group's limit, or the host's memory, is shared by all processes of one `dramatiq`
            command: eight of them at 12 % are full. So what the workers of one host use (a container is a
            host of its own) is added up, unless their limits differ, which shows that they share none; then
            the fullest worker counts.
            """,
        ),
        b.record(
            "worker:bioagents_worker_memory_limit_bytes:near",
            f"{ql.recorded(_LIMIT)} and {ql.recorded(_USED)} > 0.5",
            "For boards: the limit of a worker that uses more than half of it.",
        ),
    )


def _growth(b: Builder) -> tuple[Record, ...]:
    rss, growth = b.ql.recorded(_RSS), b.ql.recorded(_GROWTH)
    return (
        b.record(
            _GROWTH,
            f"""
            deriv({rss}[6h:10m])
            and {rss} offset 1h
            """,
            """
            Bytes per second, of workers older than an hour: the first minutes of every worker would look
            like a leak. A subquery: 36 points for each worker, not the 1,440 scrapes of six hours.
            """,
        ),
        b.record(
            _LEAK,
            f"""
            {growth} > {rss} * 0.1 / (6 * 3600)
            and deriv({rss}[2h:10m]) > {growth} * 0.5
            and {growth} * 3 * 86400 > 0.1 * {b.ql.recorded(_LIMIT)}
            and {rss} offset 7h
            """,
            """
            The growth of workers that look like a leak. The conditions, in this order: they grow by a tenth
            within six hours; still at least half as fast in the last two, so it is no plateau; by a tenth
            of the limit within three days, so it matters; they are older than their warm-up of an hour and
            the six hours, so filling caches are no leak.
            """,
        ),
    )


def _memory_high(b: Builder) -> Alert:
    limit = percent(b.threshold("WorkerMemoryHigh"))
    return b.alert(
        "WorkerMemoryHigh",
        f"{b.ql.recorded('host:bioagents_worker_memory:ratio')} > {b.limit('WorkerMemoryHigh')}",
        pending="10m",
        keep_firing="5m",
        severity="warning",
        board=boards.WORKERS,
        summary=title(f"Host {HOST}", f"workers use {SHARE} of their memory, limit {limit}"),
        description=f"""Workers on host "{HOST}" use {SHARE} of their memory limit; at 100 % the
        kernel kills one in the middle of its jobs. First find out which job grows: restart the worker
        gracefully (SIGTERM), then give it more memory or fewer threads.""",
        comment="By host, because a host or container runs full and is silenced or fixed by itself.",
    )


def _memory_leak(b: Builder) -> Alert:
    leak = b.ql.recorded(_LEAK)
    this = b.within("worker")
    rss, growing = this.recorded(_RSS), this.recorded(_LEAK)
    size = b.each_within("worker", rss, ": {{ .Value | humanize1024 }}B")
    left = b.each_within(
        "worker",
        f"({this.recorded(_LIMIT)} - {rss}) / {growing} / 3600",
        ', its limit is reached in {{ .Value | printf "%.0f" }} h',
    )
    worst = b.each(f"topk(3, {b.same.recorded(_LEAK)})", f" {HOST_AND_PID}{size}{left}.", sort="worker")
    return b.alert(
        "WorkerMemoryLeak",
        f"""
        max without (worker, host, pid) (
          {leak}
          and count_over_time({leak}[1h:10m]) >= 6
        ) * 3600
        """,
        pending="5m",
        keep_firing="15m",
        severity="warning",
        board=boards.WORKERS,
        window="24h",
        summary=of_role("memory grows by {{ $value | humanize1024 }}B per hour"),
        description=f"""The memory of a worker consuming "{ROLE}" has grown for six hours, now by {{{{
        $value | humanize1024 }}}}B per hour, and does not level off.{worst} First plan graceful restarts
        before the limit is reached, then find out what the last deployment keeps in memory.""",
        comment="""
        By role: a leak is in the code, which all workers of a role share. Each worker must look like a leak
        for the whole hour: in a large fleet some worker always looks like one for a moment.
        """,
    )
