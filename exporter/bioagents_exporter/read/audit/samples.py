"""Messages of a queue that an audit reads: some of the delayed jobs, and the jobs behind one with an ``eta``.

A sample takes three round trips: ids, then the lengths of their messages, then the messages that are small
enough. Overdue jobs are counted exactly for up to a hundred delayed jobs, beyond that scaled from a sample.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from bioagents_exporter.read.connection import Reply, array, pack, refused
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.heads import ready_of
from bioagents_exporter.read.unread import MAX_MESSAGE, Reason, decode_message
from bioagents_worker.wire import ETA_OPTION, due_time

#: Messages in one sample.
SAMPLE: Final = 100
#: Seconds after which a delayed job is late: a worker checks once a second, and clocks differ.
GRACE: Final = 5.0
#: Bytes of messages in one sample.
_ROOM: Final = 512 * 1024


class Sample(ABC):
    """Messages in one hash; ``unread`` are those that are not read."""

    def __init__(self, ids_command: bytes, messages: bytes) -> None:
        """``messages`` is the key of the hash."""
        self.ids_command, self._messages = ids_command, messages
        self.unread: Counter[Reason] = Counter()
        self._total = 0
        self._ids: list[bytes] = []
        self._chosen: list[bytes] = []
        self._failed = False

    def take_ids(self, total: int | None, reply: Reply, errors: Counter[str]) -> None:
        """How many ids there are (None: not known, and counted as an error), and ``ids_command``'s reply."""
        if total is not None and isinstance(reply, list):
            self._total = total
            self._ids = [id_ for id_ in reply if isinstance(id_, bytes)]
            return
        self._failed = True
        if total is not None:
            array(reply, errors)

    def lengths_commands(self) -> tuple[bytes, int]:
        """The lengths of the messages, before any is read."""
        return b"".join([pack("HSTRLEN", self._messages, id_) for id_ in self._ids]), len(self._ids)

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
        return (pack("HMGET", self._messages, *self._chosen), 1) if self._chosen else (b"", 0)

    def take_messages(self, replies: Sequence[Reply], now: float, errors: Counter[str]) -> None:
        """Keep what the messages contain; a message is None that is no longer there."""
        found = array(replies[0], errors) if replies else ()
        self._take([message for message in found if isinstance(message, bytes)], now)

    @abstractmethod
    def _take(self, messages: Sequence[bytes], now: float) -> None:
        """Keep what these messages contain."""

    def _decoded(self, message: bytes) -> dict[str, Any] | None:
        """The message with its options; any that is not read is counted by its reason."""
        decoded = decode_message(message)
        if isinstance(decoded, Reason):
            self.unread[decoded] += 1
            return None
        return decoded


class DelayedSample(Sample):
    """Delayed jobs: all of a few, or a random choice."""

    def __init__(self, queue: bytes) -> None:
        """``queue`` is the key of the queue."""
        messages = queue + b".DQ.msgs"
        super().__init__(pack("HRANDFIELD", messages, SAMPLE), messages)
        self.overdue: int | None = None  # delayed jobs of the queue that are late; None: unknown

    def take_messages(self, replies: Sequence[Reply], now: float, errors: Counter[str]) -> None:
        """Also counts damaged messages."""
        super().take_messages(replies, now, errors)
        if damaged := self.unread[Reason.DAMAGED]:
            errors[Cause.DELAYED_UNREADABLE] += damaged

    def _take(self, messages: Sequence[bytes], now: float) -> None:
        etas = [eta for eta in map(self._eta, messages) if eta is not None]
        if self._failed or (self.unread and not etas):
            return
        late = sum(eta + GRACE < now for eta in etas)
        whole = self._total <= len(self._ids)
        self.overdue = late if whole or not etas else round(self._total * late / len(etas))

    def _eta(self, message: bytes) -> float | None:
        decoded = self._decoded(message)
        if decoded is None:
            return None
        eta_ms = due_time(decoded["options"].get(ETA_OPTION))
        if eta_ms is None:
            self.unread[Reason.DAMAGED] += 1
            return None
        return eta_ms / 1000


class WaitingSample(Sample):
    """The first waiting jobs, where the next job has an ``eta``: others may have been ready before it."""

    def __init__(self, queue: bytes) -> None:
        """``queue`` is the key of the queue."""
        super().__init__(pack("LRANGE", queue, 0, SAMPLE - 1), queue + b".msgs")
        self.ready: float | None = None  # unix seconds at which the first of them became ready

    def _take(self, messages: Sequence[bytes], now: float) -> None:
        decoded = [one for one in map(self._decoded, messages) if one is not None]
        times = [max(ready.time, ready.due or 0) for ready in map(ready_of, decoded) if ready is not None]
        self.ready = min((time for time in times if time <= now), default=None)
