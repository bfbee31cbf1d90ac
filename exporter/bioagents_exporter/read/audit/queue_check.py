"""The audit of one queue: every job must wait or be held, and delayed jobs must not be overdue."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bioagents_exporter.read.audit.holders import Holder
from bioagents_exporter.read.audit.samples import DelayedSample, Sample, WaitingSample
from bioagents_exporter.read.connection import Reply, integer, pack
from bioagents_exporter.read.unread import Reason

#: Audits over which the smallest difference counts, so that a job on its way between two commands does not.
AUDITS: Final = 3
#: The states whose messages are in a hash each → the end of its key.
_MESSAGES: Final = {"waiting": ".msgs", "delayed": ".DQ.msgs", "dead": ".XQ.msgs"}
_LENGTHS: Final = 4
#: Commands for one queue besides two for each holder.
FIXED: Final = _LENGTHS + len(_MESSAGES)


@dataclass(slots=True)
class QueueCheck:
    """One queue under audit; with more holders than a step has commands, over several steps."""

    namespace: str
    queue: str
    holders: Sequence[Holder]
    delayed_sample: DelayedSample | None  # None: nothing is delayed
    waiting_sample: WaitingSample | None  # None: the next job shows the age
    whole: bool  # all holders in one step, so that the jobs can be balanced
    orphaned: int | None = 0
    held: int | None = 0
    sizes: list[tuple[Holder, int]] = field(default_factory=list)  # of fresh workers' sets
    lengths: tuple[int | None, ...] = ()
    bytes_by_state: Mapping[str, int] = field(default_factory=dict)

    def keys(self, holder: Holder) -> tuple[bytes, bytes]:
        """The two acknowledgement sets of a holder."""
        key = self.namespace.encode() + b":__acks__." + holder.id + b"." + self.queue.encode()
        return key, key + b".DQ"

    def count_commands(self) -> tuple[bytes, int]:
        """Lengths of lists and hashes, then the sizes of all sets."""
        key = f"{self.namespace}:{self.queue}"
        packed = [pack("LLEN", key), pack("HLEN", key + ".msgs")]
        packed += [pack("LLEN", key + ".DQ"), pack("HLEN", key + ".DQ.msgs")]
        packed += [pack("MEMORY", "USAGE", key + end) for end in _MESSAGES.values()]
        packed += [pack("SCARD", set_) for holder in self.holders for set_ in self.keys(holder)]
        return b"".join(packed), len(packed)

    def take_counts(self, replies: Iterator[Reply], errors: Counter[str]) -> None:
        """The replies to ``count_commands``; a second time they replace the first."""
        self.lengths = tuple(integer(next(replies), errors) for _ in range(_LENGTHS))
        sizes = {state: next(replies) for state in _MESSAGES}
        self.bytes_by_state = {
            # A hash that does not exist has no size. Some services refuse this command: that is no error.
            state: size or 0
            for state, size in sizes.items()
            if size is None or isinstance(size, int)
        }
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
    def samples(self) -> list[Sample]:
        """The messages to read."""
        return [sample for sample in (self.delayed_sample, self.waiting_sample) if sample is not None]

    def take_ids(self, replies: Iterator[Reply], errors: Counter[str]) -> None:
        """The ids of the messages to read, after the counts."""
        if self.delayed_sample is not None:
            self.delayed_sample.take_ids(self.delayed, next(replies), errors)
        if self.waiting_sample is not None:
            self.waiting_sample.take_ids(self.lengths[0], next(replies), errors)

    @property
    def overdue(self) -> int | None:
        """Delayed jobs that are late; None where that is not known."""
        if self.delayed_sample is not None:
            return self.delayed_sample.overdue
        return None if self.delayed is None else 0

    @property
    def unread(self) -> Counter[Reason]:
        """Delayed messages that are not read."""
        return Counter() if self.delayed_sample is None else self.delayed_sample.unread

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
