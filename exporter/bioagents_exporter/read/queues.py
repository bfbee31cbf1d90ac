"""The replies for one queue, as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bioagents_exporter.read.commands import QueueCommands
from bioagents_exporter.read.resp import Reply
from bioagents_exporter.read.values import integer, score


@dataclass(frozen=True, slots=True)
class Counts:
    """One queue in Dramatiq's keys, before its head is known. None: could not be read."""

    queue: QueueCommands
    waiting: int | None
    messages: int | None
    delayed: int | None
    head: bytes | None
    totals: Reply
    dead: int | None
    dead_expiring: int | None
    dead_oldest: float | None

    @property
    def name(self) -> str:
        """The queue's."""
        return self.queue.name


def counts_of(queue: QueueCommands, replies: list[Reply], errors: Counter[str]) -> Counts:
    """The eight replies, in the order of :func:`~bioagents_exporter.read.commands.queue_batch`.

    A key that several commands name is counted once when it cannot be read.
    """
    waiting, messages, delayed, head, totals, dead, expiring, oldest = replies
    return Counts(
        queue,
        integer(waiting, errors),
        integer(messages, errors),
        integer(delayed, errors),
        head if isinstance(head, bytes) else None,
        totals,
        integer(dead, errors),
        expiring if isinstance(expiring, int) else None,
        score(oldest, errors) if isinstance(dead, int) else None,
    )
