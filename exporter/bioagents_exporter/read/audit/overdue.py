"""Delayed jobs whose time has passed: exact up to a hundred of a queue, beyond that scaled from a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.heads import MAX_HEAD
from bioagents_exporter.read.messages import decode_message, milliseconds
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.values import array, refused

#: Messages of one queue that are looked at.
SAMPLE: Final = 100
#: Seconds after which a delayed job is late: a worker looks once a second, and clocks differ.
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
        self._unreadable = 0
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
        """How long the messages are, before any is read."""
        return b"".join([pack("HSTRLEN", self._key, id_) for id_ in self._ids]), len(self._ids)

    def take_lengths(self, replies: Sequence[Reply], errors: Counter[str]) -> None:
        """Choose what is small enough."""
        room = _ROOM
        for id_, length in zip(self._ids, replies, strict=True):
            if not isinstance(length, int):
                refused(length, errors)
            elif length > MAX_HEAD:
                self._unreadable += 1
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
            eta = _eta(message) if isinstance(message, bytes) else None
            if eta is not None:
                readable += 1
                late += eta + GRACE < now
            elif message is not None:  # None: it came due meanwhile
                self._unreadable += 1
        if self._unreadable:
            errors[Cause.DELAYED_UNREADABLE] += self._unreadable
        if self._failed or (self._unreadable and not readable):
            return None
        whole = self._total <= len(self._ids)
        return late if whole or not readable else round(self._total * late / readable)


def _eta(message: bytes) -> float | None:
    decoded = decode_message(message)
    eta = milliseconds(decoded["options"].get("eta")) if decoded else None
    return None if eta is None else eta / 1000
