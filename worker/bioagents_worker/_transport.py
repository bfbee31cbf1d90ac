"""At-most-once delivery of increments: the caller's half of the protocol, without threads or sockets.

The specification is ``tests/transport/model.py`` (class Worker); random histories of faults compare it with
an independent record. The other half is ``flush.lua``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bioagents_worker._tally import Increments
from bioagents_worker.wire import DROPPED, WHOLE_FLEET, counter_field

#: A caller without a reply for this number of seconds starts over: half the age at which it may be reaped.
SILENT: Final = 12 * 3600.0
#: Prefixes of the fields that count events.
_EVENTS: Final = (counter_field("processed", ""), counter_field("enqueued", ""))


@dataclass(frozen=True, slots=True)
class Request:
    """One script call."""

    epoch: int
    base: int
    new: int
    counts: Increments


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of the script."""

    epoch: int
    stored: int
    fleet: int  # workers and producers that live
    time_us: int  # by Redis' clock


class NotSent(Exception):  # noqa: N818 - an outcome, handled here
    """No connection could be made, so the call did not reach Redis."""


class Transport:
    """Increments that wait, and an open request that is repeated unchanged until it has a reply."""

    def __init__(self, now: float, markers: Callable[[], Increments]) -> None:
        """``markers``: the zeros with which this caller's series start, sent at the start of each epoch."""
        self.unsent: Increments = {}
        self.open: Increments = {}
        self.epoch = 0  # 0: not known yet, the next call asks for it
        self.acked = 0
        self.unanswered = 0  # calls with `open` that had no reply
        self.dropped = 0  # events dropped because their delivery is unknown
        self._answered_at = now
        self._markers = markers

    def add(self, counts: Increments) -> None:
        """Add increments to those that wait."""
        _merge(self.unsent, counts)

    @property
    def waiting(self) -> bool:
        """Whether there are increments that Redis has not confirmed."""
        return bool(self.unsent or self.open)

    def call(self, now: float, send: Callable[[Request], Reply | None]) -> Reply | None:
        """Make one call; ``send`` must not send twice.

        ``send`` returns None if there was no reply, and raises :class:`NotSent` if nothing can have arrived.
        After any other exception the call counts as unanswered too.
        """
        if now - self._answered_at > SILENT:
            self._start_over(0, 0)
        if self.epoch and not self.open:
            self.open, self.unsent, self.unanswered = self.unsent, {}, 0
        request = Request(self.epoch, self.acked, self.acked + bool(self.open), self.open)
        unanswered, self.unanswered = self.unanswered, self.unanswered + 1
        try:
            reply = send(request)
        except NotSent:
            self.unanswered = unanswered
            return None
        if reply is None:
            return None
        self.unanswered = unanswered
        self._answered_at = now
        if reply.epoch != self.epoch or reply.stored != request.new:
            self._start_over(reply.epoch, reply.stored)
        else:
            self.acked, self.open = request.new, {}
        return reply

    def _start_over(self, epoch: int, stored: int) -> None:
        """Keep only what cannot have reached Redis."""
        if self.unanswered:
            lost = _events(self.open)
            if lost:
                self.dropped += lost
                _merge(self.unsent, {WHOLE_FLEET: {DROPPED: lost}})
        else:
            _merge(self.unsent, self.open)
        self.open, self.unanswered, self.epoch, self.acked = {}, 0, epoch, stored
        if epoch:
            _merge(self.unsent, self._markers())


def _merge(into: Increments, added: Increments) -> None:
    for queue, fields in added.items():
        target = into.setdefault(queue, {})
        for name, n in fields.items():
            target[name] = target.get(name, 0) + n


def _events(counts: Increments) -> int:
    """The number of finished attempts and enqueued jobs in these increments."""
    return sum(n for fields in counts.values() for name, n in fields.items() if name.startswith(_EVENTS))
