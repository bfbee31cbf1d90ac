"""The round trips of one audit step, for all of its queues at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from bioagents_exporter.read.audit.ledger import QueueAuditing
from bioagents_exporter.read.audit.stuck import MAX_IDS, Suspects
from bioagents_exporter.read.connection import Connection
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.values import array

#: Commands for a second look at what seemed wrong.
SECOND_LOOK: Final = 1300


def look(connection: Connection, audits: Sequence[QueueAuditing], errors: Counter[str]) -> None:
    """The ledgers, and which delayed messages to look at."""
    commands, size = [], 0
    for audit in audits:
        packed, number = audit.ledger_commands()
        commands.append(packed)
        size += number
        if audit.sample:
            commands.append(audit.sample.ids_command())
            size += 1
    replies = iter(connection.call(b"".join(commands), size))
    for audit in audits:
        audit.take_ledger(replies, errors)
        if audit.sample:
            audit.sample.take_ids(audit.delayed, next(replies), errors)


def look_again(connection: Connection, audits: Sequence[QueueAuditing], errors: Counter[str]) -> None:
    """The ledgers that did not balance, each in one go, so that hardly anything can happen in between.

    Redis takes the commands of one connection in one go up to 16 KB of them: about 140 holders.
    """
    room = SECOND_LOOK
    for audit in audits:
        packed, number = audit.ledger_commands()
        if audit.unheld and number <= room:
            room -= number
            audit.take_ledger(iter(connection.call(packed, number)), errors)


def look_at_suspects(
    connection: Connection,
    audits: Sequence[QueueAuditing],
    suspects: Suspects,
    now: float,
    errors: Counter[str],
) -> None:
    """What is in the sets of workers that hold more than they say."""
    looks = [
        (holder.worker, audit.queue, size, audit.keys(holder))
        for audit in audits
        for holder, size in audit.sizes
        if holder.worker is not None and suspects.is_suspect(holder.worker, audit.queue, size)
    ][: SECOND_LOOK // 2]
    packed = [pack("SMEMBERS", key) for *_, size, keys in looks if size <= MAX_IDS for key in keys]
    replies = iter(connection.call(b"".join(packed), len(packed)) if packed else ())
    for worker, queue, size, _ in looks:
        ids = _members(replies, errors) if size <= MAX_IDS else None
        suspects.look(worker, queue, size if ids is None else len(ids), ids, now)


def sample_delayed(
    connection: Connection, audits: Sequence[QueueAuditing], now: float, errors: Counter[str]
) -> dict[str, int | None]:
    """Queue → overdue jobs, for the queues with delayed ones."""
    samples = [(audit.queue, audit.sample) for audit in audits if audit.sample]
    lengths = [sample.lengths_commands() for _, sample in samples]
    replies = _call(connection, lengths)
    for (_, sample), (_, size) in zip(samples, lengths, strict=True):
        sample.take_lengths([next(replies) for _ in range(size)], errors)
    messages = [sample.messages_commands() for _, sample in samples]
    replies = _call(connection, messages)
    return {
        queue: sample.overdue([next(replies) for _ in range(size)], now, errors)
        for (queue, sample), (_, size) in zip(samples, messages, strict=True)
    }


def _call(connection: Connection, batches: Sequence[tuple[bytes, int]]) -> Iterator[Reply]:
    size = sum(number for _, number in batches)
    return iter(connection.call(b"".join([packed for packed, _ in batches]), size) if size else ())


def _members(replies: Iterator[Reply], errors: Counter[str]) -> frozenset[bytes]:
    """What is in the two sets of a worker and queue."""
    both = [*array(next(replies), errors), *array(next(replies), errors)]
    return frozenset(member for member in both if isinstance(member, bytes))
