"""Everything that one read of Redis found, as one immutable value; no judgement is passed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bioagents_worker.wire import Identity, State


@dataclass(frozen=True, slots=True)
class Server:
    """What INFO says of the server that answered."""

    run_id: str  # "" where a managed service hides it
    version: str
    software: str  # "redis" or "valkey"
    role: str  # "master" or "slave"
    mode: str  # "standalone", "sentinel" or "cluster"
    time: float  # unix seconds by the server's clock
    memory_used: int  # bytes
    memory_max: int  # bytes; 0: no limit
    maxmemory_policy: str
    evicted_keys: int
    aof: bool
    loading: bool
    link_up: bool | None = None  # of a replica to its primary
    lag: float | None = None  # seconds since a replica last heard from its primary


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


@dataclass(frozen=True, slots=True)
class Worker:
    """The last heartbeat of one worker."""

    id: str
    seen: float  # unix seconds by the server's clock
    identity: Identity
    state: State
    wire: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals hash of one queue, as it stands in Redis (fields: see bioagents_worker.wire)."""

    queue: str  # "" is the fleet's own
    wire: int
    epoch: int
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Store:
    """To which data set the totals of one wire version belong."""

    wire: int
    epoch: int
    server: str  # run_id of the server process for which the epoch was begun


@dataclass(frozen=True, slots=True)
class QueueAudit:
    """What a scrape's budget does not allow to read, per queue. None: not read (yet)."""

    orphaned: int | None  # held by workers whose Dramatiq heartbeat has expired
    unheld: int | None  # in the messages hash, neither in the list nor in anyone's acknowledgement set
    stuck: int | None  # in a living worker's acknowledgement set, unknown to that worker
    overdue: int | None  # delayed jobs whose time has passed, from a bounded sample
    read_at: float  # unix seconds by the server's clock


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
    errors: Mapping[str, int] = field(default_factory=dict)  # cause → parts left out of this read
    failure: str = ""  # one line: why Redis could not be read; no secret in it
