"""The ledger of one queue: every job waits, or someone holds it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bioagents_exporter.read.audit.brokers import Holder
from bioagents_exporter.read.audit.overdue import DelayedSample
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.values import integer

#: Audits over which the smallest difference counts, so that a job on its way between two commands does not.
AUDITS: Final = 3

#: Commands for the ledger besides two for each holder.
FIXED: Final = 4


@dataclass(slots=True)
class QueueAuditing:
    """One queue under audit; with more holders than a step has commands, over several steps."""

    namespace: str
    queue: str
    holders: Sequence[Holder]
    sample: DelayedSample | None  # None: nothing is delayed
    whole: bool  # all holders in one step, so that the ledger can be balanced
    orphaned: int | None = 0
    held: int | None = 0
    sizes: list[tuple[Holder, int]] = field(default_factory=list)  # of fresh workers' sets
    lengths: tuple[int | None, ...] = ()

    def keys(self, holder: Holder) -> tuple[bytes, bytes]:
        """The two acknowledgement sets of a holder."""
        key = self.namespace.encode() + b":__acks__." + holder.id + b"." + self.queue.encode()
        return key, key + b".DQ"

    def ledger_commands(self) -> tuple[bytes, int]:
        """Lengths of lists and hashes, then the sizes of all sets."""
        key = f"{self.namespace}:{self.queue}"
        packed = [pack("LLEN", key), pack("HLEN", key + ".msgs")]
        packed += [pack("LLEN", key + ".DQ"), pack("HLEN", key + ".DQ.msgs")]
        packed += [pack("SCARD", set_) for holder in self.holders for set_ in self.keys(holder)]
        return b"".join(packed), len(packed)

    def take_ledger(self, replies: Iterator[Reply], errors: Counter[str]) -> None:
        """The replies to ``ledger_commands``, also when they are asked for a second time."""
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
    """The smallest difference of several audits, by queue."""

    def __init__(self) -> None:
        self._last: dict[str, deque[int]] = {}

    def take(self, queue: str, value: int | None) -> int | None:
        """Take in the difference of one audit; what is certain, None before it is."""
        if value is None:
            self._last.pop(queue, None)
            return None
        last = self._last.setdefault(queue, deque(maxlen=AUDITS))
        last.append(value)
        smallest = min(last)
        return smallest if smallest == 0 or len(last) == AUDITS else None
