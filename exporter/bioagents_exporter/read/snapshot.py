"""Everything that one read of Redis found, as one immutable value, without any judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bioagents_exporter.read.info import Server
from bioagents_worker.wire import Identity, State

#: Endings of keys that belong to a queue; such a name is never a queue of its own.
_PARTS: Final = (".DQ", ".XQ", ".msgs")


def is_queue(name: str) -> bool:
    """Whether a queue can have this name: Dramatiq's other keys are not queues."""
    return bool(name) and not name.endswith(_PARTS) and not name.startswith("__")


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue in Dramatiq's own keys. None: this part could not be read."""

    name: str
    waiting: int | None  # LLEN Q
    messages: int | None  # HLEN Q.msgs
    delayed: int | None  # HLEN Q.DQ.msgs
    dead: int | None  # ZCOUNT Q.XQ within the dead-message TTL
    dead_expiring: int | None  # of these, deleted within 24 h
    dead_oldest: float | None = None  # unix seconds; None too without dead letters
    head_ready: float | None = None  # unix seconds at which the head became ready, the best that is known
    head_delayed: bool = False  # the head has an ``eta``: jobs behind it may have been ready before it


@dataclass(frozen=True, slots=True)
class Worker:
    """The last heartbeat of one worker."""

    id: str
    seen: float  # unix seconds by the server's clock
    identity: Identity
    state: State


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals hash of one queue, as it is in Redis (fields: see bioagents_worker.wire)."""

    queue: str  # "" is the fleet's own
    wire: int
    epoch: int
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Store:
    """The data set to which the totals of one wire version belong."""

    wire: int
    epoch: int
    server: str  # run_id of the server process for which the epoch was begun


@dataclass(frozen=True, slots=True)
class QueueAudit:
    """What a scrape's budget does not allow to read, per queue. None: not read (yet)."""

    orphaned: int | None  # held by workers whose Dramatiq heartbeat has expired
    unheld: int | None  # in the messages hash, neither in the list nor in any acknowledgement set
    stuck: int | None  # in a living worker's acknowledgement set, unknown to that worker; None too if one
    # of the workers does not know all that it holds
    overdue: int | None  # delayed jobs whose time has passed, from a bounded sample
    sizes: Mapping[str, int]  # state → bytes of its messages, where they could be read
    read_at: float  # unix seconds by the server's clock
    #: Unix seconds at which the first waiting job became ready; None if the head is that job, or none is due.
    first_ready: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One read. ``server`` is None and all else empty where Redis could not be read."""

    server: Server | None
    round_trip: float  # seconds, of the first round trip
    queues: tuple[Queue, ...] = ()
    workers: tuple[Worker, ...] = ()
    totals: tuple[Totals, ...] = ()
    stores: tuple[Store, ...] = ()
    audits: Mapping[str, QueueAudit] = field(default_factory=dict)
    #: (Queue, reason) → messages that are not read, out of the next job and a sample of the delayed ones.
    unread: Mapping[tuple[str, str], int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)  # cause → parts left out of this read
    used: bool = False  # whether Dramatiq has ever written to this namespace
    failure: str = ""  # one line: why Redis could not be read; no secret in it
