"""What each worker says of itself. All but two of these end when the worker falls silent."""

from __future__ import annotations

from typing import Final

from bioagents_exporter.catalogue.metric import Metric, Type


def _worker(name: str, unit: str, text: str, formula: str, kind: Type = "gauge") -> Metric:
    return Metric(name, kind, ("worker",), unit, text, formula)


INFO: Final = Metric(
    "worker_info",
    "gauge",
    ("worker", "host", "pid", "queues", "version", "dramatiq", "python", "monitor", "threads"),
    "",
    "Is always 1 and carries facts of a worker, for an hour after its last heartbeat.",
    "heartbeat: host name; process id; consumed queues (the first 16, a digest of the others); `version` of "
    "the application; versions of Dramatiq, Python and `monitor`, this package; configured threads",
)
LAST_HEARTBEAT: Final = _worker(
    "worker_last_heartbeat_timestamp_seconds",
    "seconds",
    "Tells when the worker was last heard of, for an hour after that.",
    "Redis' clock at the heartbeat",
)
SLOTS: Final = _worker(
    "worker_slots",
    "slots",
    "Counts the worker threads that live and take jobs, 0 while the worker drains.",
    "heartbeat: living worker threads",
)
THREADS: Final = _worker(
    "worker_threads",
    "threads",
    "Tells how many worker threads the worker was started with.",
    "heartbeat: configured threads",
)
CONSUMER_THREADS: Final = _worker(
    "worker_consumer_threads",
    "threads",
    "Counts the consumer threads that live; a dead one no longer fetches its queue.",
    "heartbeat: living consumer threads, two for each consumed queue",
)
RUNNING: Final = _worker(
    "worker_running_jobs",
    "jobs",
    "Counts the jobs that the worker is running.",
    "heartbeat: attempts under way",
)
MEMORY: Final = _worker(
    "worker_memory_rss_bytes",
    "bytes",
    "Tells how much memory the worker's process occupies.",
    "heartbeat: resident set size",
)
MEMORY_LIMIT: Final = _worker(
    "worker_memory_limit_bytes",
    "bytes",
    "Tells how much memory the worker's control group or, without a limit there, its host has.",
    "heartbeat: cgroup v2 or v1 limit, else the host's memory; shared by all processes there",
)
CPU: Final = _worker(
    "worker_cpu_seconds_total",
    "seconds",
    "Counts the processor time that the worker's process has used.",
    "heartbeat: user + system time",
    kind="counter",
)
JOBS: Final = _worker(
    "worker_jobs_total",
    "attempts",
    "Counts the attempts that the worker has finished.",
    "heartbeat: attempts since boot",
    kind="counter",
)
START_TIME: Final = _worker(
    "worker_start_time_seconds",
    "seconds",
    "Tells when the worker started, by its own clock.",
    "heartbeat: unix time at boot",
)
CLOCK_SKEW: Final = _worker(
    "worker_clock_skew_seconds",
    "seconds",
    "Tells by how much the worker's clock is ahead of Redis' clock.",
    "heartbeat: worker's clock - Redis' clock at the last call",
)
FLUSH_AGE: Final = _worker(
    "worker_flush_age_seconds",
    "seconds",
    "Tells how old the oldest count was that the worker handed over with its last heartbeat.",
    "heartbeat: time from the first count of the difference to the call that carried it",
)
