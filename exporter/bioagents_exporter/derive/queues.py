"""What Redis itself tells of each queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import queues as m
from bioagents_exporter.derive.family import Family, Key, known

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View
    from bioagents_exporter.read.snapshot import Queue


def families(view: View) -> Iterator[Family]:
    """Depth, ages and dead letters; what was not read is left out."""
    queues, now = view.snapshot.queues, view.server.time
    yield _depth(queues)
    keys = [(queue.name,) for queue in queues]
    yield known(m.OLDEST_AGE, keys, (_oldest_age(queue, now) for queue in queues))
    yield known(m.DEAD_OLDEST_AGE, keys, (_dead_oldest_age(queue, now) for queue in queues))
    yield known(m.DEAD_EXPIRING, keys, (queue.dead_expiring for queue in queues))


def _depth(queues: tuple[Queue, ...]) -> Family:
    keys: list[Key] = []
    values: list[int] = []
    for queue in queues:
        states = (
            ("waiting", queue.waiting),
            ("active", active(queue)),
            ("delayed", queue.delayed),
            ("dead", queue.dead),
        )
        for state, n in states:
            if n is not None:
                keys.append((queue.name, state))
                values.append(n)
    return Family(m.DEPTH, keys, values)


def active(queue: Queue) -> int | None:
    """Jobs that were fetched and not acknowledged.

    The two lengths are not read at one instant, and a purge or a false death leaves more in the list than
    in the hash: never below 0.
    """
    if queue.messages is None or queue.waiting is None:
        return None
    return max(queue.messages - queue.waiting, 0)


def _oldest_age(queue: Queue, now: float) -> float | None:
    if queue.waiting == 0:
        return 0
    if queue.waiting is None or queue.head_ready is None:
        return None
    return max(now - queue.head_ready, 0)


def _dead_oldest_age(queue: Queue, now: float) -> float | None:
    if queue.dead == 0:
        return 0
    if queue.dead is None or queue.dead_oldest is None:
        return None
    return max(now - queue.dead_oldest, 0)
