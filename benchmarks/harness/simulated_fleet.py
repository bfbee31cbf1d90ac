"""A fleet in the wire format, without its processes: the same script calls, the same keys of Dramatiq.

Each call of :meth:`SimulatedFleet.beat` is what every worker would do once: a heartbeat that differs from the
one before, and the counts of a few jobs.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from bioagents_worker import wire
from bioagents_worker._flusher import FLEET_CALLS, IDLE
from bioagents_worker._link import Script, flush_arguments
from bioagents_worker._tally import Increments
from bioagents_worker._transport import Request
from harness.jobs import message
from harness.raw_redis import Command, RawRedis

THREADS = 8
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a fleet."""

    queues: int
    workers: int
    queues_per_worker: int = 2
    waiting: int = 3  # jobs in each queue
    jobs: int = 3  # finished by each worker between two heartbeats, on each of its queues

    @property
    def interval(self) -> float:
        """The longest time between two heartbeats of a worker in seconds, as of real workers."""
        return max(IDLE, self.workers / FLEET_CALLS)


@dataclass(slots=True)
class SimulatedWorker:
    """One caller of the script."""

    id: str
    broker: str
    queues: tuple[str, ...]
    identity: str
    running: tuple[wire.RunningJob, ...]
    cpu: float
    jobs: int = 0
    seq: int = 0

    def beat(self, shape: Shape, noise: random.Random) -> str:
        self.cpu += noise.random()
        self.jobs += shape.jobs * len(self.queues)
        held = dict.fromkeys(self.queues[:1], 1)
        return wire.encode_beat(
            self.identity,
            wire.State(
                interval=shape.interval, threads=THREADS, consumers=2 * len(self.queues),
                rss=noise.randrange(GIB), limit=4 * GIB, cpu=round(self.cpu, 2), jobs=self.jobs,
                running=held, held=held, oldest=self.running, skew=round(noise.random() / 1e3, 6),
                flush_age=round(noise.random(), 3),
            ),
        )  # fmt: skip


@dataclass(slots=True)
class SimulatedFleet:
    """Made by :func:`seed`; :meth:`beat` sends further heartbeats."""

    shape: Shape
    redis: RawRedis
    queues: tuple[str, ...]
    workers: list[SimulatedWorker]
    keys: wire.Keys
    epoch: int = 0
    run_id: str = ""
    script: Script = field(default_factory=lambda: Script.load("flush.lua"))
    noise: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 (data to measure with)

    def beat(self, count: int | None = None) -> None:
        """The next heartbeat of every worker, or of ``count`` workers in turn."""
        turn = self.workers[: count or len(self.workers)]
        self.workers = self.workers[len(turn) :] + turn
        self.redis.call_all(self.call(worker) for worker in turn)

    def call(self, worker: SimulatedWorker) -> Command:
        """One worker's next script call: a heartbeat and the counts of a few jobs."""
        request = Request(self.epoch, worker.seq, worker.seq + 1, self._counts(worker))
        worker.seq += 1
        beat = worker.beat(self.shape, self.noise)
        names, argv = flush_arguments(self.keys, worker.id, self.run_id, request, kind="worker", beat=beat)
        return ("EVALSHA", self.script.sha, len(names), *names, *argv)

    def _counts(self, worker: SimulatedWorker) -> Increments:
        return {queue: dict(self._fields(actor_of(queue))) for queue in worker.queues}

    def _fields(self, actor: str) -> Iterator[tuple[str, int]]:
        """The counts of a few jobs, in changing buckets."""
        jobs, noise = self.shape.jobs, self.noise
        for counter in ("enqueued", "processed", "succeeded"):
            yield wire.counter_field(counter, actor), jobs
        for histogram in (wire.DURATION, wire.WAIT):
            yield wire.bucket_field(histogram, actor, noise.randrange(len(wire.BUCKETS))), jobs
            yield wire.sum_field(histogram, actor), noise.randrange(10_000_000)
        if noise.random() < 0.1:  # noqa: PLR2004 (one call in ten reports a retry)
            yield wire.counter_field("retries", actor), 1
            yield wire.failures_field(actor, "TimeoutError"), 1


def actor_of(queue: str) -> str:
    return f"run_{queue.replace('-', '_')}"


def seed(port: int, shape: Shape, *, namespace: str = "dramatiq") -> SimulatedFleet:
    """Fill the Redis at ``port`` (empty, on this host) with a fleet of this shape."""
    redis = RawRedis(port)
    queues = tuple(f"queue-{i:04}" for i in range(shape.queues))
    fleet = SimulatedFleet(shape, redis, queues, [], wire.Keys(namespace))
    redis.call("SCRIPT", "LOAD", fleet.script.source)
    fleet.run_id = _run_id(redis)
    fleet.epoch = _epoch(fleet)
    fleet.workers = [_worker(fleet, i) for i in range(shape.workers)]
    redis.call_all(_jobs(fleet, namespace))
    fleet.beat()
    return fleet


def _epoch(fleet: SimulatedFleet) -> int:
    """The epoch, from a first call without counts."""
    names, argv = flush_arguments(
        fleet.keys, "first", fleet.run_id, Request(0, 0, 0, {}), kind="gone", beat=""
    )
    reply = fleet.redis.call("EVALSHA", fleet.script.sha, len(names), *names, *argv)
    if not isinstance(reply, list):
        raise TypeError(f"the flush script answered {reply!r}")
    return int(reply[0])


def _worker(fleet: SimulatedFleet, number: int) -> SimulatedWorker:
    shape, id_ = fleet.shape, uuid.UUID(int=number + 1).hex
    mine = tuple(
        fleet.queues[(number + k) % shape.queues] for k in range(min(shape.queues_per_worker, shape.queues))
    )
    broker = str(uuid.uuid4())
    identity = wire.Identity(
        host=f"worker-host-{number // 4:04}", pid=1000 + number, broker=broker, queues=mine, threads=THREADS,
        start=round(time.time() - 3600, 3), dramatiq="2.2.1", python="3.11.7", monitor="0.1.0", version="2026.11.2",
    )  # fmt: skip
    job = wire.RunningJob(mine[0], actor_of(mine[0]), 12.345, str(uuid.uuid4()))
    return SimulatedWorker(id_, broker, mine, wire.encode_identity(identity), (job,), cpu=100.0)


def _jobs(fleet: SimulatedFleet, namespace: str) -> Iterator[Command]:
    """Waiting jobs, a running one for each worker, and Dramatiq's own keys of a worker."""
    now_ms = int(time.time() * 1000)
    for queue in fleet.queues:
        for _ in range(fleet.shape.waiting):
            id_, body = message(queue, actor_of(queue), "a document", 42)
            yield "HSET", f"{namespace}:{queue}.msgs", id_, body
            yield "RPUSH", f"{namespace}:{queue}", id_
    for worker in fleet.workers:
        queue = worker.queues[0]
        id_, body = message(queue, actor_of(queue), "a document", 42)
        yield "HSET", f"{namespace}:{queue}.msgs", id_, body
        yield "SADD", f"{namespace}:__acks__.{worker.broker}.{queue}", id_
        # One hour ahead, because these heartbeats are not repeated: Dramatiq must not treat the brokers as dead.
        yield "ZADD", f"{namespace}:__heartbeats__", now_ms + 3_600_000, worker.broker


def _run_id(redis: RawRedis) -> str:
    info = redis.call("INFO", "server")
    text = info.decode() if isinstance(info, bytes) else str(info)
    return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("run_id:"))
