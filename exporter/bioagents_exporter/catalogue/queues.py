"""What Redis itself tells of a queue, for any Dramatiq application."""

from __future__ import annotations

from typing import Final

from bioagents_exporter.catalogue.metric import Metric

DEPTH: Final = Metric(
    "queue_depth",
    "gauge",
    ("queue", "state"),
    "jobs",
    "Counts the jobs of a queue by state: waiting to be fetched, active (fetched and not acknowledged), "
    "delayed until a later time, or dead-lettered.",
    "`waiting` = LLEN Q; `active` = HLEN Q.msgs - LLEN Q, at least 0; `delayed` = HLEN Q.DQ.msgs; "
    "`dead` = ZCOUNT Q.XQ within the dead-message TTL",
)
OLDEST_AGE: Final = Metric(
    "queue_oldest_job_age_seconds",
    "gauge",
    ("queue",),
    "seconds",
    "Tells how long the next job of the queue has been ready to run, 0 when none waits.",
    "server time - the instant at which the head of the list became ready: our stamp, or without "
    "`JobMetrics` the best upper bound from the message's own times",
)
DEAD_OLDEST_AGE: Final = Metric(
    "queue_dead_oldest_age_seconds",
    "gauge",
    ("queue",),
    "seconds",
    "Tells how long the oldest dead letter of the queue has been dead, 0 without dead letters.",
    "server time - the lowest score of Q.XQ within the dead-message TTL",
)
DEAD_EXPIRING: Final = Metric(
    "queue_dead_expiring_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the dead letters of the queue that Dramatiq will delete within 24 hours.",
    "ZCOUNT Q.XQ of the last 24 hours of the dead-message TTL",
)
ORPHANED: Final = Metric(
    "queue_orphaned_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the jobs of the queue that are held by dead workers and wait for Dramatiq to give them back.",
    "Σ SCARD of the acknowledgement sets of Q and Q.DQ whose worker's Dramatiq heartbeat has expired; read "
    "in "
    'the background, its age is `exporter_source_age_seconds{source="audit"}`',
)
UNHELD: Final = Metric(
    "queue_unheld_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the jobs of the queue that neither wait nor are held by anyone, so that nobody will ever run "
    "them.",
    "HLEN Q.msgs - LLEN Q - Σ SCARD of all acknowledgement sets, and the same for Q.DQ; read in the "
    "background",
)
STUCK: Final = Metric(
    "queue_stuck_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the jobs of the queue that stand in a living worker's name although that worker knows nothing "
    "of them.",
    "Σ over living workers of SCARD of their acknowledgement sets - what their heartbeats hold; read in the "
    "background",
)
OVERDUE: Final = Metric(
    "queue_overdue_delayed_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the delayed jobs of the queue whose time has passed without their being made ready.",
    "delayed jobs with an `eta` in the past, from a bounded sample; read in the background",
)
