"""The queues, from Dramatiq's own keys alone: this works for any Dramatiq application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bioagents_exporter.derive.family import Family, Key, Metric, by_queue, known
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot
from bioagents_exporter.read.unread import ENCODINGS

DEPTH: Final = Metric(
    "queue_depth",
    "gauge",
    ("queue", "state"),
    "jobs",
    "Number of jobs of the queue by state: waiting to be fetched, active (fetched and not acknowledged), "
    "delayed until a later time, or dead-lettered.",
    "`waiting` = LLEN Q; `active` = HLEN Q.msgs - LLEN Q, at least 0; `delayed` = HLEN Q.DQ.msgs; "
    "`dead` = ZCOUNT Q.XQ within the dead-message TTL",
)
OLDEST_AGE: Final = by_queue(
    "queue_oldest_job_age_seconds",
    "seconds",
    "Time for which the next job of the queue has been ready to run, 0 when none waits.",
    "server time - the instant at which the head of the list became ready: the stamp of `JobMetrics`, or "
    "without it the best upper bound from the message's own times; 0 before the `eta` of a message with one, "
    "unless one of the 99 jobs behind it is ready (read in the background)",
)
UNREADABLE: Final = Metric(
    "queue_unreadable_messages",
    "gauge",
    ("queue", "reason"),
    "messages",
    "Number of messages, out of the next job of the queue and a sample of its delayed jobs, whose times the "
    "exporter does not read, absent when it reads all of them.",
    "reasons: `too_large` (more than 64 KB); `damaged` (JSON that no worker can read); `no_time` (of another "
    "program than Dramatiq, without a time); otherwise the encoding, by the first bytes of the message: "
    + ", ".join(f"`{reason}`" for reason in ENCODINGS)
    + " (JSON in another form than Dramatiq's, too), which remains while the queue is empty. The age of "
    "such a job is left out, and it is not counted as overdue",
)
DEAD_OLDEST_AGE: Final = by_queue(
    "queue_dead_oldest_age_seconds",
    "seconds",
    "Time for which the oldest dead letter of the queue has been dead, 0 without dead letters.",
    "server time - the lowest score of Q.XQ within the dead-message TTL",
)
DEAD_EXPIRING: Final = by_queue(
    "queue_dead_expiring_jobs",
    "jobs",
    "Number of dead letters of the queue that Dramatiq will delete within 24 hours.",
    "ZCOUNT Q.XQ of the last 24 hours of the dead-message TTL",
)
ORPHANED: Final = by_queue(
    "queue_orphaned_jobs",
    "jobs",
    "Number of jobs of the queue that are held by dead workers and wait for Dramatiq to requeue them.",
    "Σ SCARD of the acknowledgement sets of Q and Q.DQ whose worker's Dramatiq heartbeat has expired; read "
    'in the background, its age is `exporter_source_age_seconds{source="audit"}`',
)
UNHELD: Final = by_queue(
    "queue_unheld_jobs",
    "jobs",
    "Number of jobs of the queue that neither wait nor are held by any worker, so that none will run them.",
    "HLEN Q.msgs - LLEN Q - Σ SCARD of all acknowledgement sets, and the same for Q.DQ; read in the "
    "background",
)
STUCK: Final = by_queue(
    "queue_stuck_jobs",
    "jobs",
    "Number of jobs of the queue that are assigned to living workers that lost them.",
    "Σ over living workers of SCARD of their acknowledgement sets - what their heartbeats hold; absent if "
    "the consumers of one do not report what they hold; read in the background",
)
OVERDUE: Final = by_queue(
    "queue_overdue_delayed_jobs",
    "jobs",
    "Number of delayed jobs of the queue whose time has passed and that have not been moved to their queue.",
    "delayed jobs with an `eta` in the past, from a bounded sample; read in the background",
)

MESSAGES: Final = Metric(
    "queue_messages_bytes",
    "gauge",
    ("queue", "state"),
    "bytes",
    "Memory that Redis uses for the messages of the queue, by state of their jobs; those of active jobs "
    "count as waiting.",
    "MEMORY USAGE of Q.msgs, Q.DQ.msgs and Q.XQ.msgs, which Redis estimates from five messages; read in the "
    "background, absent where Redis refuses the command",
)


def families(snapshot: Snapshot, now: float) -> Iterator[Family]:
    """Depth, ages and dead letters at ``now``, the server's time; what was not read is left out."""
    queues = snapshot.queues
    yield _depth(queues)
    yield Family(UNREADABLE, list(snapshot.unread), list(snapshot.unread.values()))
    keys = [(queue.name,) for queue in queues]
    audits = snapshot.audits
    yield known(OLDEST_AGE, keys, (_oldest_age(queue, audits.get(queue.name), now) for queue in queues))
    yield known(DEAD_OLDEST_AGE, keys, (_dead_oldest_age(queue, now) for queue in queues))
    yield known(DEAD_EXPIRING, keys, (queue.dead_expiring for queue in queues))


def _depth(queues: Sequence[Queue]) -> Family:
    keys: list[Key] = []
    values: list[int] = []
    for queue in queues:
        states = (
            ("waiting", queue.waiting),
            ("active", _active(queue)),
            ("delayed", queue.delayed),
            ("dead", queue.dead),
        )
        for state, n in states:
            if n is not None:
                keys.append((queue.name, state))
                values.append(n)
    return Family(DEPTH, keys, values)


def _active(queue: Queue) -> int | None:
    """Jobs that were fetched and not acknowledged.

    The two lengths are not read at one instant, and a purge or a false death leaves more in the list than
    in the hash: never below 0.
    """
    if queue.messages is None or queue.waiting is None:
        return None
    return max(queue.messages - queue.waiting, 0)


def _oldest_age(queue: Queue, audit: QueueAudit | None, now: float) -> float | None:
    if queue.waiting == 0:
        return 0
    if queue.waiting is None or queue.head_ready is None:
        return None
    behind = audit.first_ready if audit is not None and queue.head_delayed else None
    ready = queue.head_ready if behind is None else min(queue.head_ready, behind)
    return max(now - ready, 0)


def _dead_oldest_age(queue: Queue, now: float) -> float | None:
    if queue.dead == 0:
        return 0
    if queue.dead is None or queue.dead_oldest is None:
        return None
    return max(now - queue.dead_oldest, 0)


def audit_families(audits: Mapping[str, QueueAudit]) -> Iterator[Family]:
    """Orphaned, unheld, stuck and overdue jobs of the queues that were audited in the background."""
    keys = [(name,) for name in audits]
    yield known(ORPHANED, keys, (audit.orphaned for audit in audits.values()))
    yield known(UNHELD, keys, (audit.unheld for audit in audits.values()))
    yield known(STUCK, keys, (audit.stuck for audit in audits.values()))
    yield known(OVERDUE, keys, (audit.overdue for audit in audits.values()))
    sizes = {(name, state): size for name, audit in audits.items() for state, size in audit.sizes.items()}
    yield Family(MESSAGES, [*sizes], [*sizes.values()])


def audit_age(audits: Mapping[str, QueueAudit], now: float) -> float | None:
    """Seconds since the oldest of the audits; None before the first."""
    oldest = min((audit.read_at for audit in audits.values()), default=None)
    return None if oldest is None else max(now - oldest, 0)
