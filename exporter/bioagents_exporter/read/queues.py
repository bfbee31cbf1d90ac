"""The queues: which names are known, the commands for each, and their replies as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.connection import Reply, integer, pack, score
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.snapshot import is_queue

#: More than this and Redis holds something else than queues.
MAX_QUEUES: Final = 20_000
#: Replies for each queue.
QUEUE_REPLIES: Final = 8

_DAY: Final = 86400.0


def queue_name(raw: bytes) -> str | None:
    """The name of a queue as text, None where it cannot be one.

    Only names that are UTF-8 can be published; surrogates would make the exposition invalid.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return None
    return name if is_queue(name) else None


class Registry:
    """The names in one registry set, decoded again only when the set changes."""

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        self._raw: list[Reply] = []
        self._bad = 0

    def update(self, raw: list[Reply], errors: Counter[str]) -> None:
        """Take the members of the set; the empty name means the whole fleet and is not a queue."""
        if raw != self._raw:
            names = [queue_name(member) for member in raw if isinstance(member, bytes) and member]
            self._raw, self._bad = raw, names.count(None)
            self.names = frozenset(name for name in names if name is not None)
        if self._bad:
            errors[Cause.BAD_NAME] += self._bad


@dataclass(frozen=True, slots=True)
class QueueCommands:
    """The commands for one queue; the ranges of its dead letters depend on the time, the rest is fixed."""

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


@dataclass(frozen=True, slots=True)
class QueueReplies:
    """The replies for one queue, before its head is known. None: could not be read."""

    commands: QueueCommands
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
        return self.commands.name


def queue_replies(commands: QueueCommands, replies: list[Reply], errors: Counter[str]) -> QueueReplies:
    """The eight replies, in the order of :func:`queue_batch`.

    A key that several commands name is counted once when it cannot be read.
    """
    waiting, messages, delayed, head, totals, dead, expiring, oldest = replies
    return QueueReplies(
        commands,
        integer(waiting, errors),
        integer(messages, errors),
        integer(delayed, errors),
        head if isinstance(head, bytes) else None,
        totals,
        integer(dead, errors),
        expiring if isinstance(expiring, int) else None,
        score(oldest, errors) if isinstance(dead, int) else None,
    )


class KnownQueues:
    """Every queue ever known, in a stable order: an empty queue is 0, not absent."""

    def __init__(self, namespace: str, totals: Callable[[str], bytes]) -> None:
        """``totals`` gives the command for the totals of one queue."""
        self._namespace, self._totals = namespace, totals
        self._names: set[str] = set()
        self.all: list[QueueCommands] = []

    def add(self, names: Iterable[str], errors: Counter[str]) -> list[QueueCommands]:
        """Take names in; the queues that are new. What is too much is counted, not kept."""
        new = sorted(set(names) - self._names)
        room = MAX_QUEUES - len(self._names)
        if len(new) > room:
            errors[Cause.TOO_MANY_QUEUES] += len(new) - room
        added = [QueueCommands.of(self._namespace, name, self._totals(name)) for name in new[:room]]
        self._names.update(new[:room])
        self.all += added
        return added
