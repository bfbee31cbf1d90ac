"""How long the next job of a queue has been ready: from its message, which takes two more round trips.

Exact with our middleware, which stamps each message. Without it the best that is known is the latest of:
the message's construction, the failure that requeued it, and the last read that found the list empty
(nothing else survives the way from the delayed queue).

Messages are decoded as far as they are JSON: another encoder's bytes are never decoded, pickle least of all.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from bioagents_exporter.read.connection import Reply, pack, refused
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.queues import QueueReplies
from bioagents_worker.wire import READY_OPTION

#: Messages can be megabytes; a larger head is not read.
MAX_HEAD: Final = 64 * 1024
#: Bytes of messages in one read; the rest waits for the next.
MAX_HEADS: Final = 2 * 1024 * 1024

_MAX_TIME: Final = 1e15  # ms; far beyond any message


def decode_message(raw: bytes) -> dict[str, Any] | None:
    """A message with its ``options``, which is a dictionary; None if it is not a Dramatiq message in JSON."""
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(decoded, dict) and isinstance(decoded.get("options"), dict):
        return decoded
    return None


def milliseconds(value: object) -> float | None:
    """A wall-clock time in ms; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and 0 < number < _MAX_TIME else None


@dataclass(frozen=True, slots=True)
class Head:
    """The first message of a queue."""

    id: bytes
    seen: float  # when it was first seen at the head, by the server's clock
    read: bool = False  # its message was read
    ready: float | None = None  # unix seconds, by its producer's clock
    exact: bool = False
    cause: Cause | None = None  # why its message could not be used


class Heads:
    """What is known of the head of each queue; one for each queue, so bounded by them."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}
        self._empty: dict[str, float] = {}

    def forget(self) -> None:
        """A new connection may lead to another data set, in which the lists were never seen empty."""
        self._heads, self._empty = {}, {}

    def observe(self, queue: QueueReplies, now: float) -> bool:
        """Take in one queue; True when the message of its head is still to be read."""
        name = queue.name
        if queue.waiting == 0:
            self._empty[name] = now
        if queue.head is None:
            self._heads.pop(name, None)
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
            elif length > MAX_HEAD:
                self._set(queue.name, cause=Cause.HEAD_TOO_LARGE)
            elif 0 < length <= room:  # 0: taken and acknowledged since the list was read
                room -= length
                chosen.append(queue)
        return chosen

    def store(self, chosen: list[QueueReplies], messages: list[Reply], errors: Counter[str]) -> None:
        """Keep what the messages contain."""
        for queue, message in zip(chosen, messages, strict=True):
            if isinstance(message, bytes):
                found = ready_of(message)
                if found is None:
                    self._set(queue.name, cause=Cause.HEAD_UNREADABLE)
                else:
                    self._set(queue.name, ready=found[0], exact=found[1])
            elif message is not None:
                refused(message, errors)

    def ready(self, queue: QueueReplies, errors: Counter[str]) -> float | None:
        """Unix seconds at which the head became ready, the best that is known."""
        head = self._heads.get(queue.name)
        if head is None:
            return None
        if head.cause is not None:
            errors[head.cause] += 1
        if head.ready is not None and head.exact:
            return min(head.ready, head.seen)
        bounds = [time for time in (head.ready, self._empty.get(queue.name)) if time is not None]
        return min(max(bounds), head.seen) if bounds else None

    def _set(
        self, name: str, *, ready: float | None = None, exact: bool = False, cause: Cause | None = None
    ) -> None:
        head = self._heads[name]
        self._heads[name] = Head(head.id, head.seen, read=True, ready=ready, exact=exact, cause=cause)


def lengths_batch(asked: Iterable[QueueReplies]) -> bytes:
    """HSTRLEN for the message of each head."""
    return b"".join([pack("HSTRLEN", queue.commands.messages, queue.head or b"") for queue in asked])


def messages_batch(chosen: Iterable[QueueReplies]) -> bytes:
    """HGET for the message of each head."""
    return b"".join([pack("HGET", queue.commands.messages, queue.head or b"") for queue in chosen])


def ready_of(message: bytes) -> tuple[float, bool] | None:
    """Unix seconds at which a message became ready at the latest, and whether our stamp makes it exact."""
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
