"""The steps of the audit, over all queues in turn, and the round trips of one step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bioagents_exporter.read.audit.holders import (
    MAX_HOLDERS,
    Brokers,
    Holder,
    Slices,
    heartbeats_command,
    scores_of,
)
from bioagents_exporter.read.audit.queue_check import FIXED, QueueCheck, Unheld
from bioagents_exporter.read.audit.samples import SAMPLE, DelayedSample, WaitingSample
from bioagents_exporter.read.audit.stuck import MAX_IDS, Suspects
from bioagents_exporter.read.connection import Connection, Reply, array, pack
from bioagents_exporter.read.info import Clock
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot, Worker
from bioagents_exporter.read.unread import Unread
from bioagents_worker.wire import is_alive

#: Commands for the queues of one step. With the commands that are sent again, the messages of the samples and
#: those of the discovery, a step stays below 5,000.
COMMANDS: Final = 3000
#: Commands to read again what did not balance.
SECOND_READING: Final = 1300


class Auditor:
    """Fills ``results``; a step needs the last snapshot, for its queues and workers."""

    def __init__(
        self, namespace: str, heartbeat_timeout: float, connection: Connection, clock: Clock
    ) -> None:
        self._namespace, self._timeout = namespace, heartbeat_timeout
        self._connection, self._clock = connection, clock
        self._left: list[Queue] = []  # of this round
        self._slices, self._suspects, self._unheld = Slices(), Suspects(), Unheld()
        self.results: Mapping[str, QueueAudit] = {}  # replaced, never changed: snapshots hold it
        self.unread: Unread = {}  # in the samples; replaced too

    def step(self, snapshot: Snapshot, errors: Counter[str]) -> None:
        """Audit the next queues. Raises ReadError."""
        now = self._clock.now()
        scores = scores_of(self._connection.call(heartbeats_command(self._namespace), 1)[0], errors)
        brokers = Brokers(scores or {}, snapshot.workers, now, self._timeout)
        checks = self._choose(snapshot, brokers)
        if not checks:
            return
        _read_counts(self._connection, checks, errors)
        _read_unbalanced_again(self._connection, checks, errors)
        _read_suspects(self._connection, checks, self._suspects, now, errors)
        _read_samples(self._connection, checks, now, errors)
        self.unread = _updated(self.unread, checks)
        self._publish(checks, snapshot.workers, complete=scores is not None)

    def _choose(self, snapshot: Snapshot, brokers: Brokers) -> list[QueueCheck]:
        if not self._left:
            self._left = list(reversed(snapshot.queues))
            self._suspects.keep({worker.id for worker in snapshot.workers})
        chosen: list[QueueCheck] = []
        room = COMMANDS
        while self._left:
            queue = self._left[-1]
            holders = brokers.of(queue.name)
            hidden = queue.head_delayed and (queue.waiting or 0) > 1
            samples = bool(queue.delayed) + hidden
            room -= FIXED + 2 * min(len(holders), MAX_HOLDERS) + samples * (1 + SAMPLE)
            if room < 0:
                break
            self._left.pop()
            chosen.append(self._check(queue, hidden, *self._slices.next(queue.name, holders)))
        return chosen

    def _check(self, queue: Queue, hidden: bool, holders: Sequence[Holder], whole: bool) -> QueueCheck:  # noqa: FBT001
        key = f"{self._namespace}:{queue.name}".encode()
        delayed = DelayedSample(key) if queue.delayed else None
        waiting = WaitingSample(key) if hidden else None
        return QueueCheck(self._namespace, queue.name, holders, delayed, waiting, whole)

    def _publish(self, checks: Sequence[QueueCheck], workers: Sequence[Worker], *, complete: bool) -> None:
        """``complete``: all holders are known; without that, only the sets of known workers are certain."""
        read_at = self._clock.now()
        results = dict(self.results)
        alive = {w.id for w in workers if is_alive(read_at - w.seen, w.state.interval)}
        uncounted = {queue for w in workers if w.id in alive for queue in w.state.uncounted}
        stuck = self._suspects.stuck(alive)
        for check in checks:
            queue = check.queue
            orphaned = self._slices.orphaned(queue, check.orphaned if complete else None)
            unheld = self._unheld.take(queue, check.unheld if complete else None)
            lost = None if queue in uncounted else stuck[queue]
            ready = check.waiting_sample.ready if check.waiting_sample else None
            sizes = check.bytes_by_state
            results[queue] = QueueAudit(orphaned, unheld, lost, check.overdue, sizes, read_at, ready)
        self.results = results


def _updated(unread: Unread, checks: Sequence[QueueCheck]) -> Unread:
    """What is not read, after these queues were audited."""
    audited = {check.queue for check in checks}
    samples = {check.queue: check.unread for check in checks if check.unread}
    return {queue: found for queue, found in unread.items() if queue not in audited} | samples


def _read_counts(connection: Connection, checks: Sequence[QueueCheck], errors: Counter[str]) -> None:
    """The sizes of lists, hashes and sets, and the ids of the messages to read."""
    commands, size = [], 0
    for check in checks:
        packed, number = check.count_commands()
        commands.append(packed)
        size += number
        commands += [sample.ids_command for sample in check.samples]
        size += len(check.samples)
    replies = iter(connection.call(b"".join(commands), size))
    for check in checks:
        check.take_counts(replies, errors)
        check.take_ids(replies, errors)


def _read_unbalanced_again(
    connection: Connection, checks: Sequence[QueueCheck], errors: Counter[str]
) -> None:
    """Read each queue that did not balance in one call, so that hardly anything can happen in between.

    Redis takes the commands of one connection together up to 16 KB of them: about 140 holders.
    """
    room = SECOND_READING
    for check in checks:
        packed, number = check.count_commands()
        if check.unheld and number <= room:
            room -= number
            check.take_counts(iter(connection.call(packed, number)), errors)


def _read_suspects(
    connection: Connection,
    checks: Sequence[QueueCheck],
    suspects: Suspects,
    now: float,
    errors: Counter[str],
) -> None:
    """The ids in the sets of workers that hold more than they report."""
    chosen = [
        (holder.worker, check.queue, size, check.keys(holder))
        for check in checks
        for holder, size in check.sizes
        if holder.worker is not None and suspects.is_suspect(holder.worker, check.queue, size)
    ][: SECOND_READING // 2]
    packed = [pack("SMEMBERS", key) for *_, size, keys in chosen if size <= MAX_IDS for key in keys]
    replies = iter(connection.call(b"".join(packed), len(packed)) if packed else ())
    for worker, queue, size, _ in chosen:
        ids = _members(replies, errors) if size <= MAX_IDS else None
        suspects.add(worker, queue, size if ids is None else len(ids), ids, now)


def _members(replies: Iterator[Reply], errors: Counter[str]) -> frozenset[bytes]:
    """The members of the two sets of a worker and queue."""
    both = [*array(next(replies), errors), *array(next(replies), errors)]
    return frozenset(member for member in both if isinstance(member, bytes))


def _read_samples(
    connection: Connection, checks: Sequence[QueueCheck], now: float, errors: Counter[str]
) -> None:
    """The lengths of the chosen messages, then those that are small enough."""
    samples = [sample for check in checks for sample in check.samples]
    lengths = [sample.lengths_commands() for sample in samples]
    replies = _call(connection, lengths)
    for sample, (_, size) in zip(samples, lengths, strict=True):
        sample.take_lengths([next(replies) for _ in range(size)], errors)
    messages = [sample.messages_commands() for sample in samples]
    replies = _call(connection, messages)
    for sample, (_, size) in zip(samples, messages, strict=True):
        sample.take_messages([next(replies) for _ in range(size)], now, errors)


def _call(connection: Connection, batches: Sequence[tuple[bytes, int]]) -> Iterator[Reply]:
    size = sum(number for _, number in batches)
    return iter(connection.call(b"".join([packed for packed, _ in batches]), size) if size else ())
