"""The three round trips of a read, whatever the number of queues and workers.

1. Everything of the queues that are known, all heartbeats, the registries, INFO.
2. Queues that the registries named for the first time, and how long the unknown heads are.
3. Those heads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import hiredis

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.commands import (
    QUEUE_REPLIES,
    WIRE_REPLIES,
    DeadRanges,
    KnownQueues,
    QueueCommands,
    WireCommands,
    queue_batch,
)
from bioagents_exporter.read.connection import Connection
from bioagents_exporter.read.failures import ReadError, cause_of
from bioagents_exporter.read.heads import Heads, lengths_batch, messages_batch
from bioagents_exporter.read.info import INFO, Clock, parse_info, server_of
from bioagents_exporter.read.names import Registry
from bioagents_exporter.read.needs import ReadSettings
from bioagents_exporter.read.queues import Counts, counts_of
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.snapshot import Queue, Server, Store, Totals, Worker
from bioagents_exporter.read.totals import TotalsDecoder, store_of
from bioagents_exporter.read.values import array
from bioagents_exporter.read.workers import WorkerReader
from bioagents_worker.wire import FLEET, WIRE_VERSION, hash_tag


@dataclass(slots=True)
class Found:
    """What the round trips of one read found."""

    server: Server
    round_trip: float
    errors: Counter[str]
    counts: list[Counts] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    totals: list[Totals] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)


class Wire:
    """One version of the wire format; the one before ours is read only while something is there."""

    def __init__(self, namespace: str, version: int) -> None:
        self.commands = WireCommands.of(namespace, version)
        self.version = version
        self.present = version == WIRE_VERSION
        self.registry = Registry()
        self.workers = WorkerReader(self.commands.keys.beats, version)

    def totals(self, queues: Iterable[str]) -> bytes:
        """The commands for the totals of these queues."""
        return b"".join([self.commands.totals(queue) for queue in queues])


class FleetReader:
    """Reads the fleet over one connection; not thread-safe, its caller holds the connection's lock."""

    def __init__(self, connection: Connection, settings: ReadSettings, clock: Clock) -> None:
        self._connection, self._settings, self._clock = connection, settings, clock
        self._current = Wire(settings.namespace, WIRE_VERSION)
        self.older = Wire(settings.namespace, WIRE_VERSION - 1)
        self.known = KnownQueues(settings.namespace, self._current.commands)
        self._totals, self._heads = TotalsDecoder(), Heads()

    def read(self, discovered: Iterable[str]) -> Found:
        """One read. Raises ReadError."""
        if self._connection.ensure():
            self._greet()
        errors: Counter[str] = Counter()
        self._add_queues({*self._settings.queues, *discovered}, errors)
        found, old = self._first(errors)
        self._second_and_third(found, old)
        for wire in self._wires():
            found.workers += wire.workers.workers(errors)
        found.queues = [self._queue(counts, errors) for counts in found.counts]
        return found

    def look_for_older(self) -> None:
        """Notice workers of the wire version before ours, once in a while. Raises ReadError."""
        self.older.present = self._connection.call(self.older.commands.exists, 1) == [1]

    def _greet(self) -> None:
        """What must be known of a server before the first read: its clock, its queues, older workers."""
        keys = self._current.commands.keys
        commands = (
            INFO + pack("SMEMBERS", keys.queues) + pack("HLEN", keys.beats) + self.older.commands.exists
        )
        info, registry, workers, older = self._connection.call(commands, 4)
        fields = parse_info(_info_text(info))
        self._check_cluster(fields.get("cluster_enabled") == "1")
        self._clock.set(server_of(fields, self._clock.now()).time)
        if isinstance(registry, list):
            self._current.registry.update(registry, Counter())
        self._current.workers.expect(workers)
        self.older.present = older == 1
        self._heads.forget()

    def _check_cluster(self, cluster: bool) -> None:  # noqa: FBT001 - a fact, no option
        namespace = self._settings.namespace
        if cluster and hash_tag(namespace) is None:
            raise ReadError(
                Cause.REDIS_CLUSTER,
                f"this is Redis Cluster, where the namespace {namespace!r} cannot work: Dramatiq needs "
                f"client=RedisCluster(…) and a namespace in braces, {{{namespace}}}",
            )

    def _add_queues(self, names: Iterable[str], errors: Counter[str]) -> list[QueueCommands]:
        known = {*names}
        for wire in (self._current, self.older):
            known |= wire.registry.names | wire.workers.queues
        return self.known.add(known, errors)

    def _wires(self) -> list[Wire]:
        return [self._current, self.older] if self.older.present else [self._current]

    def _ranges(self) -> DeadRanges:
        return DeadRanges.at(self._clock.now(), self._settings.dead_message_ttl)

    def _first(self, errors: Counter[str]) -> tuple[Found, tuple[str, ...]]:
        wires = self._wires()
        queues, old = tuple(self.known.all), tuple(self.older.registry.names if self.older.present else ())
        beats = [wire.workers.first() for wire in wires]
        heads = b"".join([w.commands.packed + packed for w, (packed, _) in zip(wires, beats, strict=True)])
        batch = INFO + heads + queue_batch(queues, self._ranges()) + self.older.totals(old)
        size = 1 + len(wires) * WIRE_REPLIES + sum(number for _, number in beats)
        size += len(queues) * QUEUE_REPLIES + len(old)
        replies = iter(self._connection.call(batch, size))

        server = server_of(parse_info(_info_text(next(replies))), self._clock.now())
        self._clock.set(server.time)
        self._check_role(server)
        found = Found(server, self._connection.latency, errors)
        for wire in wires:
            self._take_wire(wire, replies, found)
        self._take_queues(queues, replies, found)
        self._take_old(old, replies, found)
        return found, old

    def _second_and_third(self, found: Found, old: tuple[str, ...]) -> None:
        now = found.server.time
        asked = [counts for counts in found.counts if self._heads.observe(counts, now)]
        beats = [(wire, *wire.workers.second()) for wire in self._wires()]
        new, new_old = self._add_queues((), found.errors), tuple(self.older.registry.names.difference(old))
        size = len(new) * QUEUE_REPLIES + len(new_old) + len(asked)
        size += sum(number for _, _, number in beats)
        if not size:
            return
        batch = b"".join([packed for _, packed, _ in beats])
        batch += queue_batch(new, self._ranges()) + self.older.totals(new_old) + lengths_batch(asked)
        replies = iter(self._connection.call(batch, size))
        for wire, _, number in beats:
            wire.workers.take_second(replies, number, found.errors)
        for counts in self._take_queues(new, replies, found):
            self._heads.observe(counts, now)  # whose message the next read looks at
        self._take_old(new_old, replies, found)
        chosen = self._heads.select(asked, list(replies), found.errors)
        if chosen:
            messages = self._connection.call(messages_batch(chosen), len(chosen))
            self._heads.store(chosen, messages, found.errors)

    def _check_role(self, server: Server) -> None:
        if server.loading:
            raise ReadError(Cause.REDIS_LOADING, "it loads its data set")
        if self._connection.source.wants_primary and server.role != "master":
            raise ReadError(Cause.REDIS_UNREACHABLE, "it is no primary any more", stale=True)

    def _take_wire(self, wire: Wire, replies: Iterator[Reply], found: Found) -> None:
        mine = [next(replies) for _ in range(WIRE_REPLIES)]
        self._check(mine)
        seqs, registry, totals = mine
        store = store_of(wire.version, seqs, found.errors)
        if store is not None:
            found.stores.append(store)
        elif wire is self.older and seqs == [None, None]:
            wire.present = False
        wire.registry.update(array(registry, found.errors), found.errors)
        self._take_totals(wire, FLEET, totals, found)
        wire.workers.take_first(replies, found.errors)

    def _check(self, replies: Sequence[Reply]) -> None:
        """Errors that mean that nothing can be read. A key of the wrong type is its own affair."""
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError) and cause_of(reply) is not Cause.WRONG_TYPE:
                raise ReadError(cause_of(reply), str(reply), stale=self._follow(str(reply)))

    def _follow(self, error: str) -> bool:
        """Go where a cluster's node says that our keys are: all in one slot, since they share a hash tag."""
        match error.split():
            case ["MOVED", _, address]:
                host, _, port = address.rpartition(":")
                return port.isdigit() and self._connection.source.move(host, int(port))
        return False

    def _take_queues(
        self, queues: Iterable[QueueCommands], replies: Iterator[Reply], found: Found
    ) -> list[Counts]:
        taken = []
        for queue in queues:
            mine = [next(replies) for _ in range(QUEUE_REPLIES)]
            counts = counts_of(queue, mine, found.errors)
            self._take_totals(self._current, queue.name, counts.totals, found)
            taken.append(counts)
        found.counts += taken
        return taken

    def _take_old(self, names: Iterable[str], replies: Iterator[Reply], found: Found) -> None:
        for name in names:
            self._take_totals(self.older, name, next(replies), found)

    def _take_totals(self, wire: Wire, queue: str, reply: Reply, found: Found) -> None:
        totals = self._totals.decode(wire.version, queue, reply, found.errors)
        if totals is not None:
            found.totals.append(totals)

    def _queue(self, counts: Counts, errors: Counter[str]) -> Queue:
        return Queue(
            counts.name, counts.waiting, counts.messages, counts.delayed,
            counts.dead, counts.dead_expiring, counts.dead_oldest, self._heads.ready(counts, errors),
        )  # fmt: skip


def _info_text(reply: Reply) -> bytes:
    """INFO's text. Raises ReadError with the reason why there is none."""
    if isinstance(reply, bytes):
        return reply
    if isinstance(reply, hiredis.ReplyError):
        raise ReadError(cause_of(reply), str(reply))
    raise ReadError(Cause.REDIS_ERROR, "INFO was not answered with text")
