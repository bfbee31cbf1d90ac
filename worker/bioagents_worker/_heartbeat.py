"""The heartbeat of a worker, made from Dramatiq's objects.

Dramatiq's Worker and the system are read at each heartbeat, because a worker may declare actors and lose
threads while it runs. Each reading may fail without harm to the others: what cannot be read is left out.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import dramatiq
from dramatiq.common import q_name

from bioagents_worker import __version__, wire
from bioagents_worker._held import Held, held
from bioagents_worker._resources import Resources
from bioagents_worker._tally import Attempt, Mine, Tally, anyone

T = TypeVar("T")


class Beat(NamedTuple):
    """One heartbeat."""

    text: str
    failed: dict[str, Exception]  # one of wire.READINGS → why it is missing


class Heartbeat:
    """Makes the heartbeats of one Dramatiq Worker."""

    def __init__(self, broker: Any, worker: Any, tally: Tally, *, version: str) -> None:  # noqa: ANN401 - untyped in dramatiq 1
        self.id = ""  # set by the flusher
        self.draining = self.ended = False
        self.worker, self.home = worker, worker.work_queue
        self._tally, self._resources = tally, Resources()
        self._identity = identity(broker, version)
        self._encoded = ""

    def encode(self, *, interval: float, skew: float, flush_age: float, mine: Mine = anyone) -> Beat:
        """The current heartbeat; arguments in seconds, see :class:`bioagents_worker.wire.State`."""
        failed: dict[str, Exception] = {}

        def take(reading: str, read: Callable[[], T], otherwise: T) -> T:
            try:
                return read()
            except Exception as error:  # noqa: BLE001 - any error of the system or of another library
                failed[reading] = error
                return otherwise

        self._identify(take)
        known = self._state(take, mine)
        state = wire.State(
            draining=self.draining,
            interval=interval,
            skew=round(skew, 3),
            flush_age=round(flush_age, 3),
            unknown=tuple(name for reading in failed for name in wire.READINGS[reading]),
            **known,
        )
        return Beat(wire.encode_beat(self._encoded, state), failed)

    def _identify(self, take: Callable[..., Any]) -> None:
        """Read what identifies the worker; what cannot be read stays as it was."""
        last, worker = self._identity, self.worker
        self._identity = replace(
            last,
            host=take("host", socket.gethostname, last.host),
            queues=take("queues", lambda: consumed(worker), last.queues),
            threads=take("threads", lambda: int(worker.worker_threads), last.threads),
        )
        if not self._encoded or self._identity != last:
            self._encoded = wire.encode_identity(self._identity)

    def _state(self, take: Callable[..., Any], mine: Mine) -> dict[str, Any]:
        """The fields of the state that are read."""
        worker, resources = self.worker, self._resources
        attempts = sorted(self._tally.running(mine), key=started)
        running: dict[str, int] = {}
        for attempt in attempts:
            running[attempt.queue] = running.get(attempt.queue, 0) + 1
        holds = take("held_jobs", lambda: held(worker, running), Held({}, {}, self._identity.queues))
        return {
            "threads": take("threads", lambda: living(worker.workers), 0),
            "consumers": take("consumers", lambda: living(worker.consumers.values()), 0),
            "rss": take("memory", resources.rss, 0),
            "limit": take("memory_limit", resources.limit, None),
            "cpu": take("cpu", resources.cpu, 0.0),
            "jobs": self._tally.finished(mine),
            "running": running,
            "held": holds.jobs,
            "delayed": holds.delayed,
            "uncounted": holds.uncounted,
            "oldest": oldest(attempts),
        }


def identity(broker: Any, version: str) -> wire.Identity:  # noqa: ANN401 - as Heartbeat
    """What is known of a worker before it is read."""
    return wire.Identity(
        host="",
        pid=os.getpid(),
        broker=broker.broker_id,
        queues=(),
        threads=0,
        start=round(time.time(), 3),
        dramatiq=dramatiq.__version__,
        python=platform.python_version(),
        monitor=__version__,
        version=version,
    )


def consumed(worker: Any) -> tuple[str, ...]:  # noqa: ANN401 - as Heartbeat
    """The queues that this worker consumes now, canonical and sorted."""
    return tuple(sorted({q_name(name) for name in list(worker.consumers)}))


def living(threads: Iterable[Any]) -> int:
    """How many of these threads are alive."""
    return sum(thread.is_alive() for thread in list(threads))


def oldest(attempts: list[Attempt]) -> tuple[wire.RunningJob, ...]:
    """The running jobs that a heartbeat lists; ``attempts`` has the oldest first."""
    now_ns = time.monotonic_ns()
    return tuple(
        wire.RunningJob(a.queue, a.actor, (now_ns - a.started_ns) / 1e9, a.redis_message_id)
        for a in listed(attempts)
    )


def listed(attempts: list[Attempt]) -> list[Attempt]:
    """The running attempts that a heartbeat lists; ``attempts`` and the result have the oldest first.

    Each queue is listed: a stuck job of a queue with short jobs must not be hidden by older jobs of another.
    """
    shown, rest = attempts[: wire.MAX_LISTED_JOBS], attempts[wire.MAX_LISTED_JOBS :]
    queues = {attempt.queue for attempt in shown}
    first = {attempt.queue: attempt for attempt in reversed(rest) if attempt.queue not in queues}
    return [*shown, *sorted(first.values(), key=started)]


def started(attempt: Attempt) -> int:
    """The start of an attempt in monotonic ns."""
    return attempt.started_ns
