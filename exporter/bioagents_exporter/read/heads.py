"""How long the next job of a queue has been ready: from its message, which takes two more round trips.

Exact with our middleware, which stamps each message. Without it the best that is known is the latest of:
the message's construction, the failure that requeued it, and the last read that found the list empty
(nothing else survives the way from the delayed queue).

The age of a message that is not read (:mod:`bioagents_exporter.read.unread`) is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from bioagents_exporter.read.connection import Reply, pack, refused
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.queues import QueueReplies
from bioagents_exporter.read.unread import ENCODINGS, MAX_MESSAGE, Reason, decode_message
from bioagents_worker.wire import ETA_OPTION, first_stamp, milliseconds, own_stamp, ready_time

#: Bytes of messages in one read; the rest waits for the next.
MAX_HEADS: Final = 2 * 1024 * 1024


class Ready(NamedTuple):
    """When a job became ready, in unix seconds by its producer's clock."""

    time: float
    exact: bool  # otherwise a bound: it became ready at this time or later
    due: float | None = None  # its ``eta``, before which no worker runs it


@dataclass(frozen=True, slots=True)
class Head:
    """The first message of a queue."""

    id: bytes
    seen: float  # when it was first seen at the head, by the server's clock
    read: bool = False  # its message was read
    ready: Ready | None = None

    def since(self, empty: float | None) -> float | None:
        """Unix seconds at which it became ready, the best that is known.

        ``empty``: when its list was last seen empty. A producer's clock may be ahead of the server's: a job
        was ready when it was first seen, unless its ``eta`` says that it is not.
        """
        ready = self.ready
        bounds = [empty] if ready is None else [ready.time] if ready.exact else [ready.time, empty]
        known = [time for time in bounds if time is not None]
        if not known:
            return None
        since = min(max(known), self.seen)
        return since if ready is None or ready.due is None else max(since, ready.due)


class Heads:
    """What is known of the head of each queue; one for each queue, so bounded by them."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}
        self._empty: dict[str, float] = {}
        #: By queue, until a message that is read is at its head, or the queue is empty. An encoding remains,
        #: because it is the application's and not that of one message.
        self.unread: dict[str, Counter[Reason]] = {}

    def forget(self) -> None:
        """A new connection may lead to another data set, in which the lists were never seen empty."""
        self._heads, self._empty, self.unread = {}, {}, {}

    def observe(self, queue: QueueReplies, now: float) -> bool:
        """Take in one queue; True when the message of its head is still to be read."""
        name = queue.name
        if queue.waiting == 0:
            self._empty[name] = now
        if queue.head is None:
            self._heads.pop(name, None)
            if {*self.unread.get(name, ())}.isdisjoint(ENCODINGS):
                self.unread.pop(name, None)
            return False
        head = self._heads.get(name)
        if head is None or head.id != queue.head:
            head = self._heads[name] = Head(queue.head, now)
        return not head.read

    def select(
        self, asked: list[QueueReplies], lengths: list[Reply], errors: Counter[str]
    ) -> list[QueueReplies]:
        """Of the heads whose lengths were asked for, those to read now."""
        chosen, room = [], MAX_HEADS
        for queue, length in zip(asked, lengths, strict=True):
            if not isinstance(length, int):
                refused(length, errors)
            elif length > MAX_MESSAGE:
                self._skip(queue.name, Reason.TOO_LARGE)
            elif 0 < length <= room:  # 0: taken and acknowledged since the list was read
                room -= length
                chosen.append(queue)
        return chosen

    def store(self, chosen: list[QueueReplies], messages: list[Reply], errors: Counter[str]) -> None:
        """Keep what the messages contain."""
        for queue, message in zip(chosen, messages, strict=True):
            if isinstance(message, bytes):
                self._take(queue.name, message)
            elif message is not None:
                refused(message, errors)

    def ready(self, queue: QueueReplies, errors: Counter[str]) -> float | None:
        """Unix seconds at which the head became ready, the best that is known."""
        head = self._heads.get(queue.name)
        if head is None:
            return None
        if queue.name in self.unread:
            if Reason.DAMAGED in self.unread[queue.name]:
                errors[Cause.HEAD_UNREADABLE] += 1
            return None
        return head.since(self._empty.get(queue.name))

    def delayed(self, queue: QueueReplies) -> bool:
        """Whether the head has an ``eta``."""
        head = self._heads.get(queue.name)
        return head is not None and head.ready is not None and head.ready.due is not None

    def _take(self, name: str, message: bytes) -> None:
        decoded = decode_message(message)
        if isinstance(decoded, Reason):
            self._skip(name, decoded)
        elif (ready := ready_of(decoded)) is None:
            self._skip(name, Reason.NO_TIME)
        else:
            self._heads[name] = replace(self._heads[name], read=True, ready=ready)
            self.unread.pop(name, None)

    def _skip(self, name: str, reason: Reason) -> None:
        self._heads[name] = replace(self._heads[name], read=True)
        self.unread[name] = Counter({reason: 1})


def lengths_batch(asked: Iterable[QueueReplies]) -> bytes:
    """HSTRLEN for the message of each head."""
    return b"".join([pack("HSTRLEN", queue.commands.messages, queue.head or b"") for queue in asked])


def messages_batch(chosen: Iterable[QueueReplies]) -> bytes:
    """HGET for the message of each head."""
    return b"".join([pack("HGET", queue.commands.messages, queue.head or b"") for queue in chosen])


def ready_of(message: Mapping[str, Any]) -> Ready | None:
    """When a job became ready at the latest; None if its message, which has options, does not say."""
    options, message_id = message["options"], message.get("message_id")
    due = seconds(options, ETA_OPTION)
    ready_ms = ready_time(first_stamp(options, message_id), message.get("message_timestamp"))
    time = due if ready_ms is None else ready_ms / 1000
    if time is None:
        return None
    return Ready(time, exact=milliseconds(own_stamp(options, message_id)) is not None, due=due)


def seconds(options: dict[str, Any], name: str) -> float | None:
    """Unix seconds in an option; None if it is no time."""
    found = milliseconds(options.get(name))
    return None if found is None else found / 1000
