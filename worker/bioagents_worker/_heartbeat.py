"""The heartbeat of a worker, made from Dramatiq's objects."""

from __future__ import annotations

import os
import platform
import socket
import time
from typing import Any

import dramatiq

from bioagents_worker import __version__, wire
from bioagents_worker._held import held
from bioagents_worker._resources import Resources
from bioagents_worker._tally import Attempt, Tally


class Heartbeat:
    """Makes the heartbeats of one worker."""

    def __init__(self, broker: Any, worker: Any, tally: Tally, *, version: str) -> None:  # noqa: ANN401 - untyped in dramatiq 1
        self._worker, self._tally, self._resources = worker, tally, Resources()
        self._identity = wire.encode_identity(identity(broker, worker, version))
        self.draining = False

    def encode(self, *, interval: float, skew: float, flush_age: float) -> str:
        """The current heartbeat; arguments in seconds, see :class:`bioagents_worker.wire.State`."""
        usage = self._resources.usage()
        attempts = sorted(self._tally.running(), key=started)
        now_ns = time.monotonic_ns()
        running: dict[str, int] = {}
        for attempt in attempts:
            running[attempt.queue] = running.get(attempt.queue, 0) + 1
        holds = held(self._worker, running)
        state = wire.State(
            draining=self.draining,
            interval=interval,
            threads=sum(thread.is_alive() for thread in self._worker.workers),
            consumers=sum(thread.is_alive() for thread in list(self._worker.consumers.values())),
            rss=usage.rss,
            limit=usage.limit,
            cpu=round(usage.cpu, 2),
            jobs=self._tally.attempts,
            running=running,
            held=holds.jobs,
            delayed=holds.delayed,
            uncounted=holds.uncounted,
            oldest=tuple(
                wire.RunningJob(a.queue, a.actor, (now_ns - a.started_ns) / 1e9, a.redis_message_id)
                for a in listed(attempts)
            ),
            skew=round(skew, 3),
            flush_age=round(flush_age, 3),
        )
        return wire.encode_beat(self._identity, state)


def listed(attempts: list[Attempt]) -> list[Attempt]:
    """The running attempts that a heartbeat lists; ``attempts`` and the result have the oldest first.

    Each queue is listed: a stuck job of a queue with short jobs must not be hidden by older jobs of another.
    """
    shown, rest = attempts[: wire.MAX_LISTED_JOBS], attempts[wire.MAX_LISTED_JOBS :]
    queues = {attempt.queue for attempt in shown}
    oldest = {attempt.queue: attempt for attempt in reversed(rest) if attempt.queue not in queues}
    return [*shown, *sorted(oldest.values(), key=started)]


def started(attempt: Attempt) -> int:
    """The start of an attempt in monotonic ns."""
    return attempt.started_ns


def identity(broker: Any, worker: Any, version: str) -> wire.Identity:  # noqa: ANN401 - as Heartbeat
    """The identity of this process as a worker."""
    allowed = worker.consumer_whitelist
    queues = sorted(name for name in broker.get_declared_queues() if not allowed or name in allowed)
    return wire.Identity(
        host=socket.gethostname(),
        pid=os.getpid(),
        broker=broker.broker_id,
        queues=tuple(queues),
        threads=worker.worker_threads,
        start=round(time.time(), 3),
        dramatiq=dramatiq.__version__,
        python=platform.python_version(),
        monitor=__version__,
        version=version,
    )
