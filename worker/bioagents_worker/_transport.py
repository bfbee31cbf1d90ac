"""At-most-once delivery of differences: the caller's half of the protocol, without threads or sockets.

Specified by ``tests/transport/model.py`` (class Worker), which random histories of faults hold against an
independent record; the other half is ``flush.lua``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bioagents_worker._tally import Increments
from bioagents_worker.wire import DROPPED, FLEET, counter_field

#: After this long without an answer (seconds) a caller begins anew: half the age at which it may be reaped.
SILENT: Final = 12 * 3600.0
#: Beginnings of the fields that count an event each.
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
    """What the script answered."""

    epoch: int
    stored: int
    fleet: int  # workers and producers known to Redis
    time_us: int  # Redis' clock


class NotSent(Exception):  # noqa: N818 - no error, a fate
    """No connection could be made: the call certainly never reached Redis."""


class Transport:
    """Increments that wait, and one difference under way that is sent unchanged until it is answered."""

    def __init__(self, now: float, markers: Callable[[], Increments]) -> None:
        """``markers`` are the zeros that make this caller's series exist, sent at the start of each epoch."""
        self.unsent: Increments = {}
        self.open: Increments = {}
        self.epoch = 0  # 0: say hello first
        self.acked = 0
        self.unanswered = 0  # calls with `open` that got no answer
        self.dropped = 0  # events given up because nobody knows whether they arrived
        self._answered_at = now
        self._markers = markers

    def add(self, counts: Increments) -> None:
        """Put counts with those that wait."""
        _merge(self.unsent, counts)

    @property
    def waiting(self) -> bool:
        """Whether anything is not known to be in Redis."""
        return bool(self.unsent or self.open)

    def call(self, now: float, send: Callable[[Request], Reply | None]) -> Reply | None:
        """Make one call; ``send`` must not send twice.

        It returns None where no answer came, and raises :class:`NotSent` where nothing can have arrived.
        """
        if now - self._answered_at > SILENT:
            self._start_anew(0, 0)
        if self.epoch and not self.open:
            self.open, self.unsent, self.unanswered = self.unsent, {}, 0
        request = Request(self.epoch, self.acked, self.acked + bool(self.open), self.open)
        try:
            reply = send(request)
        except NotSent:
            return None
        if reply is None:
            self.unanswered += 1
            return None
        self._answered_at = now
        if reply.epoch != self.epoch or reply.stored != request.new:
            self._start_anew(reply.epoch, reply.stored)
        else:
            self.acked, self.open = request.new, {}
        return reply

    def _start_anew(self, epoch: int, stored: int) -> None:
        """Keep only what certainly never reached Redis."""
        if self.unanswered:
            lost = _events(self.open)
            if lost:
                self.dropped += lost
                _merge(self.unsent, {FLEET: {DROPPED: lost}})
        else:
            _merge(self.unsent, self.open)
        self.open, self.unanswered, self.epoch, self.acked = {}, 0, epoch, stored
        if epoch:
            _merge(self.unsent, self._markers())


def _merge(into: Increments, counts: Increments) -> None:
    for queue, fields in counts.items():
        target = into.setdefault(queue, {})
        for name, n in fields.items():
            target[name] = target.get(name, 0) + n


def _events(counts: Increments) -> int:
    """Attempts finished and jobs enqueued in these counts."""
    return sum(n for fields in counts.values() for name, n in fields.items() if name.startswith(_EVENTS))
