"""The commands of a read, packed once for each queue and wire version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.resp import pack
from bioagents_worker.wire import FLEET, Keys

#: More than this and Redis holds something else than queues.
MAX_QUEUES: Final = 20_000

#: Replies for each queue and for each wire version.
QUEUE_REPLIES: Final = 8
WIRE_REPLIES: Final = 3

_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class WireCommands:
    """What is read of one wire version besides heartbeats and the totals of its queues."""

    version: int
    packed: bytes
    exists: bytes
    keys: Keys

    @classmethod
    def of(cls, namespace: str, version: int) -> WireCommands:
        """Pack them."""
        keys = Keys(namespace, version)
        # The sequences come first: totals of a later epoch than theirs are left out, never believed.
        packed = (
            pack("HMGET", keys.seqs, "__epoch", "__server")
            + pack("SMEMBERS", keys.queues)
            + pack("HGETALL", keys.totals(FLEET))
        )
        return cls(version, packed, pack("EXISTS", keys.seqs), keys)

    def totals(self, queue: str) -> bytes:
        """The command for the totals of one queue."""
        return pack("HGETALL", self.keys.totals(queue))


@dataclass(frozen=True, slots=True)
class QueueCommands:
    """What is read of one queue; the ranges of its dead letters follow the clock, the rest is fixed."""

    name: str
    fixed: bytes
    count: bytes
    oldest: bytes
    messages: bytes  # key

    @classmethod
    def of(cls, namespace: str, name: str, totals: bytes) -> QueueCommands:
        """Pack them; ``totals`` is the command for the queue's totals."""
        key = f"{namespace}:{name}".encode()
        fixed = (
            pack("LLEN", key)
            + pack("HLEN", key + b".msgs")
            + pack("HLEN", key + b".DQ.msgs")
            + pack("LINDEX", key, 0)
            + totals
        )
        count = _begin(4, "ZCOUNT", key + b".XQ")
        oldest = _begin(8, "ZRANGEBYSCORE", key + b".XQ")
        return cls(name, fixed, count, oldest, key + b".msgs")


@dataclass(frozen=True, slots=True)
class DeadRanges:
    """Ranges of scores, which are times of callers in ms: dead letters that a broker would still keep."""

    kept: bytes
    expiring: bytes
    oldest: bytes

    @classmethod
    def at(cls, now: float, ttl: float) -> DeadRanges:
        """``now`` in unix seconds, ``ttl`` the lifetime of a dead letter in seconds."""
        cut, soon = f"({(now - ttl) * 1000:.0f}", f"{(now - ttl + _DAY) * 1000:.0f}"
        kept = _end(cut, "+inf")
        return cls(kept, _end(cut, soon), kept + _OLDEST)


def queue_batch(queues: Iterable[QueueCommands], ranges: DeadRanges) -> bytes:
    """QUEUE_REPLIES commands for each queue."""
    kept, expiring, oldest = ranges.kept, ranges.expiring, ranges.oldest
    return b"".join(
        [part for q in queues for part in (q.fixed, q.count, kept, q.count, expiring, q.oldest, oldest)]
    )


def _begin(size: int, *parts: str | bytes) -> bytes:
    """The first parts of a command of ``size`` parts."""
    return b"*%d\r\n" % size + _end(*parts)


def _end(*parts: str | bytes) -> bytes:
    """Parts of a command, to follow its beginning."""
    return pack(*parts).split(b"\r\n", 1)[1]


_OLDEST: Final = _end("WITHSCORES", "LIMIT", "0", "1")


class KnownQueues:
    """Every queue ever known, in a stable order: an empty queue is 0, not absent."""

    def __init__(self, namespace: str, wire: WireCommands) -> None:
        self._namespace, self._wire = namespace, wire
        self._names: set[str] = set()
        self.all: list[QueueCommands] = []

    def add(self, names: Iterable[str], errors: Counter[str]) -> list[QueueCommands]:
        """Take names in; the queues that are new. What is too much is counted, not kept."""
        new = sorted(set(names) - self._names)
        room = MAX_QUEUES - len(self._names)
        if len(new) > room:
            errors[Cause.TOO_MANY_QUEUES] += len(new) - room
        added = [QueueCommands.of(self._namespace, name, self._wire.totals(name)) for name in new[:room]]
        self._names.update(new[:room])
        self.all += added
        return added
