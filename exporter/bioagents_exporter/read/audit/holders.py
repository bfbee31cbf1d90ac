"""Which brokers may hold jobs of a queue: every broker in Dramatiq's heartbeats, and the workers known here.

A queue with more holders than one step has commands for is audited in parts, some holders in each step.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bioagents_exporter.read.connection import Reply, array, pack
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.snapshot import Worker
from bioagents_worker.wire import State, is_alive

#: Heartbeats read at most: Redis is busy for about 10 ms with as many.
MAX_BROKERS: Final = 30_000
#: Holders of one queue in one step.
MAX_HOLDERS: Final = 1400


@dataclass(frozen=True, slots=True)
class Holder:
    """One broker, which has an acknowledgement set for each queue."""

    id: bytes
    expired: bool  # by Dramatiq's rule: its jobs are orphans
    worker: Worker | None = None  # with JobMetrics, and alive


class Brokers:
    """The holders of each queue.

    A worker with JobMetrics holds jobs of the queues that it consumes. The queues of any other broker (a
    producer, a worker without JobMetrics, one that is long dead) are not known: all its sets are read.
    """

    def __init__(
        self, scores: dict[bytes, float], workers: Iterable[Worker], now: float, timeout: float
    ) -> None:
        cut = (now - timeout) * 1000
        self._by_queue: dict[str, list[Holder]] = defaultdict(list)
        ours = _by_broker(workers)
        for broker, of_broker in ours.items():
            alive = [w for w in of_broker if is_alive(now - w.seen, w.state.interval)]
            holder = Holder(broker, scores.get(broker, cut) < cut, _together(alive) if alive else None)
            for queue in {queue for worker in of_broker for queue in _queues(worker)}:
                self._by_queue[queue].append(holder)
        self._others = [Holder(id_, score < cut) for id_, score in scores.items() if id_ not in ours]

    def of(self, queue: str) -> list[Holder]:
        """The brokers that may hold jobs of this queue."""
        return [*self._by_queue.get(queue, ()), *self._others]


def _by_broker(workers: Iterable[Worker]) -> dict[bytes, list[Worker]]:
    found: dict[bytes, list[Worker]] = defaultdict(list)
    for worker in workers:
        found[worker.identity.broker.encode()].append(worker)
    return found


def _queues(worker: Worker) -> set[str]:
    """The queues of which the worker may hold jobs."""
    state = worker.state
    return {*worker.identity.queues, *(state.held or ()), *(state.delayed or ()), *(state.running or ())}


def _together(workers: Sequence[Worker]) -> Worker:
    """The workers of one broker (Dramatiq allows several in a process) as one, which holds what they hold.

    It was seen when the one that has been silent longest was: since then, each has reported.
    """
    if len(workers) == 1:
        return workers[0]
    first = min(workers, key=lambda worker: worker.id)
    held, delayed = Counter[str](), Counter[str]()
    for worker in workers:
        held.update(worker.state.held or {})
        delayed.update(worker.state.delayed or {})
    uncounted = tuple({queue for worker in workers for queue in worker.state.uncounted})
    state = State(held=held, delayed=delayed, uncounted=uncounted)
    return replace(first, seen=min(worker.seen for worker in workers), state=state)


def heartbeats_command(namespace: str) -> bytes:
    """Dramatiq's heartbeats, at most MAX_BROKERS and one more."""
    key = f"{namespace}:__heartbeats__"
    return pack("ZRANGEBYSCORE", key, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, MAX_BROKERS + 1)


def scores_of(reply: Reply, errors: Counter[str]) -> dict[bytes, float] | None:
    """Broker → its last Dramatiq heartbeat in ms by its own clock; None where not all of them can be read."""
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


@dataclass(slots=True)
class _Walk:
    after: bytes = b""  # the last holder that was audited
    orphaned: int | None = 0  # so far in this round
    complete: int | None = None  # of the last round


class Slices:
    """How far the audit of each queue with too many holders has come."""

    def __init__(self) -> None:
        self._walks: dict[str, _Walk] = {}

    def next(self, queue: str, holders: Sequence[Holder]) -> tuple[Sequence[Holder], bool]:
        """The holders to audit now, and whether these are all."""
        if len(holders) <= MAX_HOLDERS:
            self._walks.pop(queue, None)
            return holders, True
        walk = self._walks.setdefault(queue, _Walk())
        ordered = sorted(holders, key=lambda holder: holder.id)
        start = bisect_right(ordered, walk.after, key=lambda holder: holder.id)
        chosen = ordered[start : start + MAX_HOLDERS]
        walk.after = chosen[-1].id if start + MAX_HOLDERS < len(ordered) else b""
        return chosen, False

    def orphaned(self, queue: str, found: int | None) -> int | None:
        """The orphans of all holders, from those of the chosen ones; None before a first round ends."""
        walk = self._walks.get(queue)
        if walk is None:
            return found
        walk.orphaned = None if found is None or walk.orphaned is None else walk.orphaned + found
        if not walk.after:
            walk.complete, walk.orphaned = walk.orphaned, 0
        return walk.complete
