"""The status page: plain HTML, without scripts and without anything from other hosts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from operator import itemgetter
from typing import Final, NamedTuple

from bioagents_exporter.derive.window import LENGTH
from bioagents_exporter.serve.status import QueueStatus, RedisStatus, Status, WorkerStatus

REFRESH: Final = 10  # seconds
MOST_WORKERS: Final = 200  # rows; the JSON has all of them

#: Relative, so that links work behind a proxy that serves the exporter under a path.
_PATHS: Final = ("metrics", "api/v1/status", "runbooks/", "-/healthy", "-/ready")

MEMORY_LIMIT: Final = 0.9  # share of a limit above which RedisMemoryHigh and WorkerMemoryHigh fire
FRESH: Final = 60.0  # seconds that a job has waited at most for its queue to have no backlog
ENOUGH_ATTEMPTS: Final = 10  # in five minutes, from which on HighJobFailureRatio judges them

RECENT: Final = 3600.0  # seconds for which the page shows the start of a version

UNKNOWN: Final = "\N{EN DASH}"
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_QUEUE_COLUMNS: Final = (
    "Queue", "Waiting", "Active", "Delayed", "Dead", "Oldest", "Workers", "Slots", "Running", "Longest",
    "Failures", "Time to drain", "Orphaned", "Stuck", "Unheld", "Overdue",
)  # fmt: skip


class Cell(NamedTuple):
    """One number of a table."""

    text: str
    bad: bool = False


def page(status: Status) -> str:
    """The whole page."""
    fleet = escape(status.fleet)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH}"><title>{fleet} · BioAgents Monitor</title>'
        f"<style>{_style()}</style></head><body><header><h1>Fleet {fleet}</h1>"
        f'<p class="soft">namespace {escape(status.namespace)}, workers: {escape(status.role)}, '
        f"version {escape(status.version)}, refreshed every {REFRESH} s</p></header><main>"
        f"{_redis(status.redis)}{_warnings(status)}{_queues(status)}{_workers(status)}{_errors(status)}"
        f"</main><nav><p>{_links()}</p></nav></body></html>"
    )


def _links() -> str:
    return "".join(f'<a href="{path}">/{path}</a>' for path in _PATHS)


@cache
def _style() -> str:
    return (files(__package__) / "style.css").read_text("utf-8")


def _redis(redis: RedisStatus) -> str:
    if not redis.up:
        return f'<h2>Redis</h2><p class="bad">▲ {escape(redis.trouble)}</p>'
    limit = f" of {size(redis.memory_max_bytes)}" if redis.memory_max_bytes else ""
    used = _share(redis.memory_used_bytes, redis.memory_max_bytes)
    state = '<span class="good">up</span>'
    if _above(used, MEMORY_LIMIT):
        state = f'<span class="bad">▲ {percent(used)} of its memory used</span>'
    facts = (
        f"{redis.software} {redis.version}, {redis.role}, {redis.mode}",
        f"memory {size(redis.memory_used_bytes)}{limit}, policy {redis.maxmemory_policy}",
        f"answered in {(redis.round_trip_seconds or 0) * 1000:.1f} ms",
    )
    return f"<h2>Redis</h2><p>{state} · {escape(' · '.join(facts))}</p>"


def _warnings(status: Status) -> str:
    return "".join(f'<p class="bad">▲ {escape(text)}</p>' for text in status.warnings)


def _queues(status: Status) -> str:
    if not status.queues:
        return ""
    rows = ((queue.name, _queue(queue)) for queue in status.queues)
    missing = _missing(status)
    starts = "".join(map(_starts, status.queues))
    return f"<h2>Queues</h2>{missing}{_table(_QUEUE_COLUMNS, rows)}{starts}"


def _starts(queue: QueueStatus) -> str:
    """The versions whose workers started within the last hour, the latest first; empty if there is none."""
    latest = sorted(queue.started_seconds_ago.items(), key=itemgetter(1))
    recent = [f"version {name or UNKNOWN} {seconds(ago)} ago" for name, ago in latest if ago < RECENT]
    if not recent:
        return ""
    return f'<p class="soft">{escape(queue.name)}: last start of workers: {escape(", ".join(recent))}</p>'


def _missing(status: Status) -> str:
    n = status.workers_missing
    return f'<p class="bad">▲ {number(n)} worker(s) missing without a clean shutdown</p>' if n else ""


def _queue(queue: QueueStatus) -> tuple[Cell, ...]:
    draining = f" + {queue.draining_workers} draining" if queue.draining_workers else ""
    return (
        Cell(number(queue.waiting), _above(queue.waiting, queue.depth_limit)),
        Cell(number(queue.active)),
        Cell(number(queue.delayed)),
        Cell(number(queue.dead), _above(queue.dead, 0)),
        Cell(
            seconds(queue.oldest_job_age_seconds),
            _above(queue.oldest_job_age_seconds, queue.wait_limit_seconds),
        ),
        Cell(number(queue.workers) + draining, _lacks_workers(queue)),
        Cell(number(queue.slots)),
        Cell(number(queue.running_jobs)),
        Cell(
            seconds(queue.longest_running_job_seconds),
            _above(queue.longest_running_job_seconds, queue.job_duration_limit_seconds),
        ),
        Cell(percent(queue.failure_ratio), _fails(queue)),
        Cell(seconds(queue.drain_seconds), _drains_late(queue)),
        *(
            Cell(number(n), _above(n, 0))
            for n in (queue.orphaned_jobs, queue.stuck_jobs, queue.unheld_jobs, queue.overdue_delayed_jobs)
        ),
    )


def _lacks_workers(queue: QueueStatus) -> bool:
    """Whether a queue in service has fewer workers than its minimum; Redis never forgets the others."""
    used = (queue.workers, queue.draining_workers, queue.waiting, queue.active, queue.delayed)
    return any(used) and _above(queue.min_workers, queue.workers)


def _fails(queue: QueueStatus) -> bool:
    """Whether too many attempts fail; one failed attempt of one proves nothing."""
    high = _above(queue.failure_ratio, queue.failure_ratio_limit)
    failures = (queue.failures_per_second or 0.0) * LENGTH
    return high and failures >= ENOUGH_ATTEMPTS * (queue.failure_ratio or 0.0)


def _drains_late(queue: QueueStatus) -> bool:
    """Whether a backlog takes longer than its limit.

    Jobs that free slots will take, or that have just come, are no backlog: over a few jobs the rates of
    arrivals and completions say nothing.
    """
    late = _above(queue.drain_seconds, queue.drain_limit_seconds)
    several = _above(queue.waiting, max(queue.slots or 0, 1))
    age = queue.oldest_job_age_seconds
    return late and several and (age is None or age > FRESH)


def _workers(status: Status) -> str:
    if not status.workers:
        return ""
    names = ("Worker", "Queues", "Version", "State", "Slots", "Running", "Memory")
    shown = status.workers[:MOST_WORKERS]
    rows = ((f"{worker.host} · {worker.pid}", _worker(worker)) for worker in shown)
    more = len(status.workers) - len(shown)
    rest = f'<p class="soft">and {more} more in /api/v1/status</p>' if more else ""
    return f"<h2>Workers</h2>{_table(names, rows)}{rest}"


def _worker(worker: WorkerStatus) -> tuple[Cell, ...]:
    limit = f" of {size(worker.memory_limit_bytes)}" if worker.memory_limit_bytes else ""
    return (
        Cell(worker.queues),
        Cell(worker.version or UNKNOWN),
        Cell("alive" if worker.alive else "missing", not worker.alive),
        Cell(f"{number(worker.slots)} of {number(worker.threads)}"),
        Cell(number(worker.running_jobs)),
        Cell(
            size(worker.memory_rss_bytes) + limit,
            _above(_share(worker.memory_rss_bytes, worker.memory_limit_bytes), MEMORY_LIMIT),
        ),
    )


def _errors(status: Status) -> str:
    if not status.errors:
        return ""
    rows = ((cause, (Cell(number(n)),)) for cause, n in sorted(status.errors.items()))
    return f"<h2>Read errors since start, by cause</h2>{_table(('Cause', 'Count'), rows)}"


def _table(names: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(_row(names, title, cells) for title, cells in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(names: Sequence[str], title: str, cells: Sequence[Cell]) -> str:
    numbers = "".join(
        f'<td data-name="{escape(name)}"{" class=bad" if cell.bad else ""}>{escape(cell.text)}</td>'
        for name, cell in zip(names[1:], cells, strict=True)
    )
    return f"<tr><td>{escape(title)}</td>{numbers}</tr>"


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def _share(value: float | None, whole: float | None) -> float | None:
    """None where one is not known, or there is no limit."""
    return value / whole if value is not None and whole else None


def number(value: float | None) -> str:
    """``12``, ``0.25``, ``∞``."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return "∞"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def seconds(value: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 m 5 s``, ``2 d 1 h``: the largest unit and the one below it."""
    if value is None or not math.isfinite(value):
        return number(value)
    if value < 10:  # noqa: PLR2004 - below that a tenth matters
        return f"{value:.1f} s" if value else "0 s"
    first = next(n for n, (_, size) in enumerate(_UNITS) if value >= size)
    rest, parts = int(value), []
    for unit, size in _UNITS[first : first + 2]:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
        rest %= size
    return " ".join(parts)


def percent(value: float | None) -> str:
    """``12.5 %``."""
    return UNKNOWN if value is None else f"{value * 100:.1f} %"


def size(value: float | None) -> str:
    """``512 MiB``, ``1.5 GiB``."""
    if value is None:
        return UNKNOWN
    mebibytes = value / 2**20
    return f"{mebibytes:.0f} MiB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GiB"  # noqa: PLR2004
