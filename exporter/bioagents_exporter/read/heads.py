"""How long the next job of a queue has been ready: from its message, at the price of two more round trips.

Exact with our middleware, which stamps each message. Without it the best that is known is the latest of:
the message's construction, the failure that requeued it, and the last read that saw the list empty
(DRAMATIQ.md: nothing else survives the way from the delayed queue).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.messages import decode_message, milliseconds
from bioagents_exporter.read.queues import Counts
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.values import refused
from bioagents_worker.wire import READY_OPTION

#: Messages can be megabytes; a larger head is not read.
MAX_HEAD: Final = 64 * 1024
#: Bytes of messages in one read; the rest waits for the next.
MAX_HEADS: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The first message of a queue."""

    id: bytes
    seen: float  # when it was first seen at the head, by the server's clock
    read: bool = False  # its message was looked at
    ready: float | None = None  # unix seconds, by its producer's clock
    exact: bool = False
    cause: Cause | None = None  # why its message tells nothing


class Heads:
    """What is known of the head of each queue; one for each queue, so bounded by them."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}
        self._empty: dict[str, float] = {}

    def forget(self) -> None:
        """A new connection may lead to another data set, in which the lists were never seen empty."""
        self._heads, self._empty = {}, {}

    def observe(self, counts: Counts, now: float) -> bool:
        """Take in one queue; True when the message of its head is still to be looked at."""
        name = counts.name
        if counts.waiting == 0:
            self._empty[name] = now
        if counts.head is None:
            self._heads.pop(name, None)
            return False
        head = self._heads.get(name)
        if head is None or head.id != counts.head:
            head = self._heads[name] = Head(counts.head, now)
        return not head.read

    def select(self, asked: list[Counts], lengths: list[Reply], errors: Counter[str]) -> list[Counts]:
        """Of the heads whose lengths were asked for, those to read now."""
        chosen, room = [], MAX_HEADS
        for counts, length in zip(asked, lengths, strict=True):
            if not isinstance(length, int):
                refused(length, errors)
            elif length > MAX_HEAD:
                self._set(counts.name, cause=Cause.HEAD_TOO_LARGE)
            elif 0 < length <= room:  # 0: taken and acknowledged since the list was read
                room -= length
                chosen.append(counts)
        return chosen

    def store(self, chosen: list[Counts], messages: list[Reply], errors: Counter[str]) -> None:
        """Keep what the messages say."""
        for counts, message in zip(chosen, messages, strict=True):
            if isinstance(message, bytes):
                found = ready_of(message)
                if found is None:
                    self._set(counts.name, cause=Cause.HEAD_UNREADABLE)
                else:
                    self._set(counts.name, ready=found[0], exact=found[1])
            elif message is not None:
                refused(message, errors)

    def ready(self, counts: Counts, errors: Counter[str]) -> float | None:
        """Unix seconds at which the head became ready, the best that is known."""
        head = self._heads.get(counts.name)
        if head is None:
            return None
        if head.cause is not None:
            errors[head.cause] += 1
        if head.ready is not None and head.exact:
            return min(head.ready, head.seen)
        bounds = [time for time in (head.ready, self._empty.get(counts.name)) if time is not None]
        return min(max(bounds), head.seen) if bounds else None

    def _set(
        self, name: str, *, ready: float | None = None, exact: bool = False, cause: Cause | None = None
    ) -> None:
        head = self._heads[name]
        self._heads[name] = Head(head.id, head.seen, read=True, ready=ready, exact=exact, cause=cause)


def lengths_batch(asked: Iterable[Counts]) -> bytes:
    """HSTRLEN for the message of each head."""
    return b"".join([pack("HSTRLEN", counts.queue.messages, counts.head or b"") for counts in asked])


def messages_batch(chosen: Iterable[Counts]) -> bytes:
    """HGET for the message of each head."""
    return b"".join([pack("HGET", counts.queue.messages, counts.head or b"") for counts in chosen])


def ready_of(message: bytes) -> tuple[float, bool] | None:
    """Unix seconds at which a message became ready at the latest, and whether our stamp says so exactly."""
    decoded = decode_message(message)
    if decoded is None:
        return None
    options = decoded["options"]
    stamp = milliseconds(options.get(READY_OPTION))
    if stamp is not None:
        return stamp / 1000, True
    times = (milliseconds(decoded.get("message_timestamp")), milliseconds(options.get("requeue_timestamp")))
    known = [time for time in times if time is not None]
    return (max(known) / 1000, False) if known else None
