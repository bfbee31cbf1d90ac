"""The audit of one queue: every job must wait or be held, and delayed jobs must not be overdue.

Overdue jobs are counted exactly for up to a hundred delayed jobs, beyond that scaled from a sample.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bioagents_exporter.read.audit.holders import Holder
from bioagents_exporter.read.connection import Reply, array, integer, pack, refused
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.unread import MAX_MESSAGE, Reason, decode_message
from bioagents_worker.wire import ETA_OPTION, due_time

#: Audits over which the smallest difference counts, so that a job on its way between two commands does not.
AUDITS: Final = 3
#: Commands for one queue besides two for each holder.
FIXED: Final = 4
#: Delayed messages of one queue that are read.
SAMPLE: Final = 100
#: Seconds after which a delayed job is late: a worker checks once a second, and clocks differ.
GRACE: Final = 5.0
#: Bytes of messages of one queue in one step.
_ROOM: Final = 512 * 1024


class DelayedSample:
    """The sample of one queue, over three round trips."""

    def __init__(self, key: bytes) -> None:
        self._key = key  # of the delayed messages
        self._total = 0
        self._ids: list[bytes] = []
        self._chosen: list[bytes] = []
        self.unread: Counter[Reason] = Counter()
        self._failed = False

    def ids_command(self) -> bytes:
        """All ids of a small hash, or a random choice."""
        return pack("HRANDFIELD", self._key, SAMPLE)

    def take_ids(self, total: Reply, reply: Reply, errors: Counter[str]) -> None:
        """The length of the hash, counted by its reader if it is none, and the answer to ``ids_command``."""
        if isinstance(total, int) and isinstance(reply, list):
            self._total = total
            self._ids = [id_ for id_ in reply if isinstance(id_, bytes)]
            return
        self._failed = True
        if isinstance(total, int):
            array(reply, errors)

    def lengths_commands(self) -> tuple[bytes, int]:
        """The lengths of the messages, before any is read."""
        return b"".join([pack("HSTRLEN", self._key, id_) for id_ in self._ids]), len(self._ids)

    def take_lengths(self, replies: Sequence[Reply], errors: Counter[str]) -> None:
        """Choose what is small enough."""
        room = _ROOM
        for id_, length in zip(self._ids, replies, strict=True):
            if not isinstance(length, int):
                refused(length, errors)
            elif length > MAX_MESSAGE:
                self.unread[Reason.TOO_LARGE] += 1
            elif 0 < length <= room:
                room -= length
                self._chosen.append(id_)

    def messages_commands(self) -> tuple[bytes, int]:
        """The messages that are small enough."""
        return (pack("HMGET", self._key, *self._chosen), 1) if self._chosen else (b"", 0)

    def overdue(self, replies: Sequence[Reply], now: float, errors: Counter[str]) -> int | None:
        """How many delayed jobs of the queue are late; None where none of them could be read."""
        late = readable = 0
        for message in array(replies[0], errors) if replies else ():
            eta = (
                self._eta(message) if isinstance(message, bytes) else None
            )  # no bytes: it is no longer delayed
            if eta is not None:
                readable += 1
                late += eta + GRACE < now
        if damaged := self.unread[Reason.DAMAGED]:
            errors[Cause.DELAYED_UNREADABLE] += damaged
        if self._failed or (self.unread and not readable):
            return None
        whole = self._total <= len(self._ids)
        return late if whole or not readable else round(self._total * late / readable)

    def _eta(self, message: bytes) -> float | None:
        decoded = decode_message(message)
        if isinstance(decoded, Reason):
            self.unread[decoded] += 1
            return None
        eta_ms = due_time(decoded["options"].get(ETA_OPTION))
        if eta_ms is None:
            self.unread[Reason.DAMAGED] += 1
            return None
        return eta_ms / 1000


@dataclass(slots=True)
class QueueCheck:
    """One queue under audit; with more holders than a step has commands, over several steps."""

    namespace: str
    queue: str
    holders: Sequence[Holder]
    sample: DelayedSample | None  # None: nothing is delayed
    whole: bool  # all holders in one step, so that the jobs can be balanced
    orphaned: int | None = 0
    held: int | None = 0
    sizes: list[tuple[Holder, int]] = field(default_factory=list)  # of fresh workers' sets
    lengths: tuple[int | None, ...] = ()

    def keys(self, holder: Holder) -> tuple[bytes, bytes]:
        """The two acknowledgement sets of a holder."""
        key = self.namespace.encode() + b":__acks__." + holder.id + b"." + self.queue.encode()
        return key, key + b".DQ"

    def count_commands(self) -> tuple[bytes, int]:
        """Lengths of lists and hashes, then the sizes of all sets."""
        key = f"{self.namespace}:{self.queue}"
        packed = [pack("LLEN", key), pack("HLEN", key + ".msgs")]
        packed += [pack("LLEN", key + ".DQ"), pack("HLEN", key + ".DQ.msgs")]
        packed += [pack("SCARD", set_) for holder in self.holders for set_ in self.keys(holder)]
        return b"".join(packed), len(packed)

    def take_counts(self, replies: Iterator[Reply], errors: Counter[str]) -> None:
        """The replies to ``count_commands``; a second time they replace the first."""
        self.lengths = tuple(integer(next(replies), errors) for _ in range(FIXED))
        self.orphaned = self.held = 0
        self.sizes = []
        for holder in self.holders:
            parts = [integer(next(replies), errors) for _ in range(2)]
            size = None if None in parts else sum(part or 0 for part in parts)
            self.held = None if size is None or self.held is None else self.held + size
            if holder.expired:
                self.orphaned = None if size is None or self.orphaned is None else self.orphaned + size
            if holder.worker is not None and size is not None:
                self.sizes.append((holder, size))

    @property
    def delayed(self) -> int | None:
        """Delayed jobs; None where they cannot be counted."""
        return self.lengths[-1]

    @property
    def unheld(self) -> int | None:
        """Jobs in the messages hashes that are in no list and in no set; None where that cannot be known."""
        if not self.whole or self.held is None or None in self.lengths:
            return None
        waiting, messages, waiting_delayed, delayed = (length or 0 for length in self.lengths)
        return max(0, messages + delayed - waiting - waiting_delayed - self.held)


class Unheld:
    """The smallest number of unheld jobs in several audits, by queue."""

    def __init__(self) -> None:
        self._last: dict[str, deque[int]] = {}

    def take(self, queue: str, value: int | None) -> int | None:
        """Take in the number of one audit; the number that is certain, None before there is one."""
        if value is None:
            self._last.pop(queue, None)
            return None
        last = self._last.setdefault(queue, deque(maxlen=AUDITS))
        last.append(value)
        smallest = min(last)
        return smallest if smallest == 0 or len(last) == AUDITS else None
