"""Who may hold jobs: every broker in Dramatiq's heartbeats, and the workers that we know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.snapshot import Worker
from bioagents_exporter.read.values import array

#: Heartbeats read at most: Redis is busy for about 10 ms with as many.
MAX_BROKERS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Holder:
    """One broker, which has an acknowledgement set for each queue."""

    id: bytes
    expired: bool  # by Dramatiq's rule: its jobs are orphans
    worker: Worker | None = None  # ours, with a fresh heartbeat


class Brokers:
    """The holders of each queue.

    A worker of ours holds jobs of the queues that it consumes. Of any other broker (a producer, a worker
    without JobMetrics, one that is long dead) only its sets can tell.
    """

    def __init__(
        self, scores: dict[bytes, float], workers: Iterable[Worker], now: float, timeout: float
    ) -> None:
        cut = (now - timeout) * 1000
        self._by_queue: dict[str, list[Holder]] = defaultdict(list)
        ours = set()
        for worker in workers:
            broker = worker.identity.broker.encode()
            ours.add(broker)
            holder = Holder(broker, scores.get(broker, cut) < cut, worker if is_fresh(worker, now) else None)
            for queue in worker.identity.queues:
                self._by_queue[queue].append(holder)
        self._others = [Holder(id_, score < cut) for id_, score in scores.items() if id_ not in ours]

    def of(self, queue: str) -> list[Holder]:
        """Who may hold jobs of this queue."""
        return [*self._by_queue.get(queue, ()), *self._others]


def is_fresh(worker: Worker, now: float) -> bool:
    """Whether a worker is alive, by its last heartbeat."""
    return now - worker.seen < max(15.0, 3 * worker.state.interval)


def heartbeats_command(namespace: str) -> bytes:
    """Dramatiq's heartbeats, at most MAX_BROKERS and one more."""
    key = f"{namespace}:__heartbeats__"
    return pack("ZRANGEBYSCORE", key, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, MAX_BROKERS + 1)


def scores_of(reply: Reply, errors: Counter[str]) -> dict[bytes, float] | None:
    """Broker → its last sign of life in ms by its own clock; None where that cannot be known in full."""
    if not isinstance(reply, list):
        array(reply, errors)
        return None
    scores = {
        name: float(score)
        for name, score in zip(reply[::2], reply[1::2], strict=True)
        if isinstance(name, bytes) and isinstance(score, bytes)
    }
    if len(scores) > MAX_BROKERS:
        errors[Cause.TOO_MANY_BROKERS] += 1
        return None
    return scores
