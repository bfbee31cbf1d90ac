"""Every fault and the alerts that it must fire; no other alert may fire."""

from __future__ import annotations

from functools import partial
from typing import Final

from faults import scenarios
from faults.fleet import Options
from faults.runner import FASTEST, SLOW, Fault

DURABLE: Final = Options(redis={"appendonly": "yes"})
DEBUGGED: Final = Options(redis={"enable_debug_command": "yes"})
TWO_WORKERS: Final = Options(workers=2)
#: So that there are enough attempts in the shortest windows.
BUSY: Final = Options(traffic=8.0)
#: The jobs of the drain also fill the other worker; more traffic would become a backlog.
NO_TRAFFIC: Final = Options(workers=2, traffic=0)
QUIET: Final = Options(traffic=0.3)
SHORT_JOBS: Final = Options(limits={"job-duration": "3s"})
SHORT_DRAIN: Final = Options(limits={"drain": "5s"})
SHORT_WAITS: Final = Options(limits={"wait": "2s", "depth": 10000})
SHORT_QUEUES: Final = Options(limits={"depth": 10})
#: Longer than it takes until a worker is reported as missing, as by default.
PATIENT: Final = Options(workers=4, patience=33)
NEGLIGENT: Final = Options(workers=2, patience=3, env={"MAINTENANCE": "0"})
REPLICA: Final = Options(replica=True)
SMALL: Final = Options(env={"MEMORY_LIMIT": str(150 << 20)})
SMALL_PREFETCH: Final = Options(env={"dramatiq_delay_queue_prefetch": "2"})
#: What a worker loses when Redis is full, or hangs for longer than the timeout, depends on the moment.
AFTER_A_STALL: Final = ("JobsStuck", "WorkerThreadsLost")
#: In a fleet this young the longer windows of the objectives hold nothing but the fault.
SLOW_BURN: Final = ("SuccessSLOSlowBurn", "WaitSLOSlowBurn")
#: True of every flood that lasts; this one is repaired about when the alert would fire.
AT_CAPACITY: Final = ("WorkersAtCapacity",)

# The longest first.
FAULTS: Final = (
    Fault("job-kills-its-worker", scenarios.poison, ("PoisonJob", "WorkerMissing"), options=PATIENT),
    Fault(
        "all-workers-gone", scenarios.kill_all_workers, ("NoActiveWorkers",), ("WorkerMissing",),
        options=SHORT_QUEUES, factor=SLOW,
    ),
    Fault("redis-paused", scenarios.pause_redis, ("RedisDown",), may=AFTER_A_STALL, factor=SLOW),
    Fault(
        "redis-full", scenarios.fill_redis, ("RedisFull",), ("WorkerThreadsLost",), may=("JobsStuck",),
        factor=SLOW,
    ),
    Fault("worker-leaks", scenarios.leak, ("WorkerMemoryLeak",), factor=FASTEST),
    Fault("configuration-skewed", scenarios.skewed_configuration, ("WorkerConfigSkew",)),
    Fault(
        "jobs-fail-for-good", scenarios.fail_for_good,
        ("DeadLetters", "HighJobFailureRate", "SuccessSLOFastBurn"), lasting=SLOW_BURN, options=BUSY,
    ),
    Fault("jobs-orphaned", scenarios.orphan_jobs, ("WorkerMissing", "JobsOrphaned"), options=NEGLIGENT),
    Fault("jobs-fail", scenarios.failing_actor, ("HighJobFailureRate",), options=BUSY),
    Fault("jobs-fail-now-and-then", scenarios.fail_now_and_then, ("HighJobFailureRatio",), options=QUIET,
          factor=SLOW),
    Fault("jobs-wait-too-long", scenarios.wait_too_long, ("QueueWaitTooLong", "WaitSLOFastBurn"),
          lasting=SLOW_BURN, options=SHORT_WAITS),
    Fault("flood-of-jobs", scenarios.flood, ("HighQueueDepth", "QueueGrowing"), may=AT_CAPACITY,
          options=SHORT_DRAIN),
    Fault("jobs-retried-without-end", scenarios.retry_without_end, ("JobRetryStorm",)),
    Fault("all-jobs-hang", partial(scenarios.hang, jobs=12), ("JobsHanging",),
          options=Options(traffic=0), before=scenarios.short_jobs, rest=60.0),
    Fault("all-slots-busy", partial(scenarios.hang, jobs=12), ("JobRunningTooLong", "WorkersAtCapacity"),
          options=Options(limits={"job-duration": "3s"}, traffic=0)),
    Fault("one-job-hangs", scenarios.hang, ("JobRunningTooLong",), options=SHORT_JOBS),
    Fault("kill-9-in-the-middle-of-a-job", scenarios.kill_a_worker, ("WorkerMissing",), options=TWO_WORKERS),
    Fault("worker-paused", scenarios.pause_a_worker, ("WorkerMissing",), options=TWO_WORKERS),
    Fault("one-of-two-workers-stopped", scenarios.stop_one_of_two, ("WorkersBelowMinimum",),
          options=Options(workers=2, limits={"min-workers": 2})),
    Fault("worker-restarts-again-and-again", scenarios.restart_again_and_again, ("WorkerRestarting",),
          options=TWO_WORKERS),
    Fault("worker-fills-its-memory", scenarios.fill_the_memory, ("WorkerMemoryHigh",), options=SMALL),
    Fault("worker-drains-and-hoards", scenarios.drain, ("WorkerDrainHoarding",), options=NO_TRAFFIC),
    Fault("worker-fetches-nothing", scenarios.pause_fetching, ("QueueStalled",)),
    Fault("clock-skewed", scenarios.skewed_clock, ("WorkerClockSkew",)),
    Fault("dead-letter", scenarios.dead_letters, ("DeadLetters",)),
    Fault("dead-letters-expire", scenarios.dead_letters_expire, ("DeadLettersExpiring",),
          before=scenarios.old_dead_letter),
    Fault("queue-unserved", scenarios.unserved_queue, ("QueueUnserved",)),
    Fault("delayed-job-overdue", scenarios.overdue_delayed_job, ("DelayedJobsOverdue",),
          options=SMALL_PREFETCH),
    Fault("jobs-lost", scenarios.lost_ids, ("LedgerMismatch",)),
    Fault("redis-stopped", scenarios.stop_redis, ("RedisDown",), may=AFTER_A_STALL, options=DURABLE),
    Fault("redis-policy-unsafe", scenarios.endanger, ("RedisPolicyUnsafe",)),
    Fault("redis-evicts", scenarios.evict, ("RedisEvicting",), ("RedisMemoryHigh",), may=AFTER_A_STALL),
    Fault("redis-restarted", scenarios.restart_redis, ("RedisDown",), ("JobsStuck",), options=DURABLE),
    Fault("redis-replica-cut-off", scenarios.break_replication,
          ("RedisReplicationBroken", "ExporterScrapeErrors"), options=REPLICA),
    Fault("redis-slow", scenarios.slow_redis, ("RedisSlow",), options=DEBUGGED),
    Fault("exporter-gone", scenarios.lose_the_exporter, ("ExporterDown",)),
    Fault("one-of-two-exporters-gone", scenarios.lose_the_exporter, ("ExporterTargetDown",),
          options=Options(exporters=2)),
    Fault("key-unreadable", scenarios.unreadable_key, ("ExporterScrapeErrors",),
          options=Options(env={"MAINTENANCE": "0"})),
)  # fmt: skip

#: Not injected at full duration: alerts that take hours, and a rate that is high only in scaled minutes.
SCALED_ONLY: Final = ("configuration-skewed", "worker-leaks", "jobs-fail-now-and-then")
