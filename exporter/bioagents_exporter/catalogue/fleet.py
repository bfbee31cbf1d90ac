"""What the heartbeats of all workers say together, by queue."""

from __future__ import annotations

from typing import Final

from bioagents_exporter.catalogue.metric import Metric

WORKERS: Final = Metric(
    "queue_workers",
    "gauge",
    ("queue",),
    "workers",
    "Counts the living workers that consume the queue and do not drain.",
    "heartbeats younger than max(15 s, 3 x the worker's interval), not draining; 0 for every known queue",
)
DRAINING_WORKERS: Final = Metric(
    "queue_draining_workers",
    "gauge",
    ("queue",),
    "workers",
    "Counts the living workers of the queue that finish what they have and then stop.",
    "as `queue_workers`, draining",
)
DRAINING_HELD: Final = Metric(
    "queue_draining_held_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the jobs of the queue that draining workers hold, both running and waiting in their memory.",
    "Σ `held` of the heartbeats of draining workers; without delayed jobs",
)
SLOTS: Final = Metric(
    "queue_slots",
    "gauge",
    ("queue",),
    "slots",
    "Counts the living worker threads that could run a job of the queue.",
    "Σ living threads of living workers that consume the queue and do not drain; a worker of several queues "
    "counts in each",
)
RUNNING: Final = Metric(
    "queue_running_jobs",
    "gauge",
    ("queue",),
    "jobs",
    "Counts the jobs of the queue that are being run by living workers, draining ones included.",
    "Σ `running` of the heartbeats of living workers",
)
LONGEST_RUNNING: Final = Metric(
    "queue_longest_running_job_seconds",
    "gauge",
    ("queue",),
    "seconds",
    "Tells for how long the longest-running job of the queue has been running, 0 when none runs.",
    "max of a running job's age in a living worker's heartbeat + the age of that heartbeat",
)
MISSING: Final = Metric(
    "workers_missing",
    "gauge",
    (),
    "workers",
    "Counts the workers that fell silent without a goodbye within the last hour.",
    "heartbeats older than max(15 s, 3 x the worker's interval) and younger than 1 h",
)
