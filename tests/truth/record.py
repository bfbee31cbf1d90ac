"""The record: one line for each event, and the counts that follow from it.

It uses none of our code: the rules are those of the metrics reference.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path

#: (metric, queue, actor, exception or "")
Series = tuple[str, str, str, str]

DECLARED = frozenset(
    {
        "succeed", "urgent", "flaky", "hopeless", "expected", "aged", "refused", "endless", "limited",
        "postponed", "slow", "gentle", "polls",
    }
)  # fmt: skip
LATER = frozenset({"Retry", "RateLimitExceeded", "Shutdown"})


@cache
def _file(pid: int) -> int:  # noqa: ARG001 - one open file for each process
    return os.open(os.environ["RECORD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def write(kind: str, queue: str, actor: str, detail: str = "") -> None:
    """Append one line; with O_APPEND this is atomic among processes."""
    thread = f"{os.getpid()}/{threading.get_ident()}"
    line = f"{time.time():.6f} {kind} {queue.removesuffix('.DQ')} {actor} {detail} {thread}\n"
    os.write(_file(os.getpid()), line.encode())


#: Kind of a line → the counts to which it adds one.
RULES = {
    "enqueue": ("jobs_enqueued_total",),
    "retry": ("job_retries_total",),
    "taken": ("job_wait_seconds_count",),
    "skip": ("jobs_skipped_total",),
    "dead": ("jobs_dead_total",),
    "end": ("jobs_processed_total", "job_duration_seconds_count", "jobs_succeeded_total"),
    "raise": ("jobs_processed_total", "job_duration_seconds_count"),
}


def expected(path: Path, *, until: float = float("inf")) -> Counter[Series]:
    """Every counter and every count of a histogram, of what happened until then (Unix time)."""
    counts: Counter[Series] = Counter()
    for line in path.read_text().splitlines():
        at, kind, queue, name, detail, _ = line.split(" ")
        if float(at) > until:
            continue
        actor = name if name in DECLARED else "(unknown)"
        for metric in RULES.get(kind, ()):
            counts[metric, queue, actor, ""] += 1
        if kind == "raise" and detail not in LATER:
            counts["job_failures_total", queue, actor, detail] += 1
    return counts


METRICS = frozenset(
    {
        "jobs_enqueued_total", "jobs_processed_total", "jobs_succeeded_total", "job_failures_total",
        "job_retries_total", "jobs_dead_total", "jobs_skipped_total",
        "job_duration_seconds_count", "job_wait_seconds_count",
    }
)  # fmt: skip
