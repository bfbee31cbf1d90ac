"""The three round trips of a read, whatever the number of queues and workers.

1. Everything of the queues that are known, all heartbeats, the registries, INFO.
2. Queues that the registries named for the first time, and the lengths of unknown heads.
3. Those heads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import hiredis

from bioagents_exporter.read.connection import Connection, Reply, pack
from bioagents_exporter.read.errors import Cause, ReadError, cause_of
from bioagents_exporter.read.heads import Heads, lengths_batch, messages_batch
from bioagents_exporter.read.info import Clock, Server, parse_info, server_of
from bioagents_exporter.read.queues import (
    QUEUE_REPLIES,
    DeadRanges,
    KnownQueues,
    QueueCommands,
    QueueReplies,
    queue_batch,
    queue_replies,
)
from bioagents_exporter.read.snapshot import Queue, Store, Totals, Worker
from bioagents_exporter.read.totals import WIRE_REPLIES, WireVersion
from bioagents_exporter.read.unread import Unread
from bioagents_exporter.settings import Settings
from bioagents_worker.wire import WHOLE_FLEET, WIRE_VERSION, hash_tag

_INFO: Final = pack("INFO")
#: Every command of Dramatiq's broker writes to this key of its namespace, and nothing empties it.
_HEARTBEATS: Final = "__heartbeats__"


@dataclass(slots=True)
class ReadResult:
    """What the round trips of one read found."""

    server: Server
    round_trip: float
    errors: Counter[str]
    used: bool
    replies: list[QueueReplies] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    totals: list[Totals] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)


class RoundTrips:
    """Reads the fleet over one connection; not thread-safe, its caller holds the connection's lock."""

    def __init__(self, connection: Connection, settings: Settings, clock: Clock) -> None:
        self._connection, self._settings, self._clock = connection, settings, clock
        self._current = WireVersion(settings.namespace, WIRE_VERSION)
        self._older = WireVersion(settings.namespace, WIRE_VERSION - 1)
        self._known = KnownQueues(settings.namespace, self._current.totals_command)
        self._heads = Heads()
        self._exists = pack("EXISTS", f"{settings.namespace}:{_HEARTBEATS}")

    def read(self, discovered: Iterable[str]) -> ReadResult:
        """One read; ``discovered``: queues that no registry names. Raises ReadError."""
        if self._connection.ensure():
            self._greet()
        errors: Counter[str] = Counter()
        self._add_queues({*self._settings.queues, *discovered}, errors)
        result, old = self._first(errors)
        self._second_and_third(result, old)
        for wire in self._wires():
            result.workers += wire.heartbeats.workers(errors)
        result.queues = [self._queue(replies, errors) for replies in result.replies]
        return result

    @property
    def unread(self) -> Unread:
        """The queues whose next job is not read."""
        return self._heads.unread

    def look_for_older(self) -> None:
        """Notice workers of the wire version before ours; not needed at every read. Raises ReadError."""
        self._older.present = self._connection.call(self._older.exists, 1) == [1]

    def _greet(self) -> None:
        """Read what the first read depends on: the server's clock, its queues, older workers."""
        keys = self._current.keys
        commands = _INFO + pack("SMEMBERS", keys.queues) + pack("HLEN", keys.beats) + self._older.exists
        info, registry, workers, older = self._connection.call(commands, 4)
        fields = parse_info(_info_text(info))
        self._check_cluster(fields.get("cluster_enabled") == "1")
        self._clock.set(server_of(fields, self._clock.now()).time)
        if isinstance(registry, list):
            self._current.registry.update(registry, Counter())
        self._current.heartbeats.expect(workers)
        self._older.present = older == 1
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
        for wire in (self._current, self._older):
            known |= wire.registry.names | wire.heartbeats.queues
        return self._known.add(known, errors)

    def _wires(self) -> list[WireVersion]:
        return [self._current, self._older] if self._older.present else [self._current]

    def _ranges(self) -> DeadRanges:
        return DeadRanges.at(self._clock.now(), self._settings.dead_message_ttl)

    def _first(self, errors: Counter[str]) -> tuple[ReadResult, tuple[str, ...]]:
        wires = self._wires()
        queues, old = tuple(self._known.all), tuple(self._older.registry.names if self._older.present else ())
        beats = [wire.heartbeats.first() for wire in wires]
        heads = b"".join([wire.packed + packed for wire, (packed, _) in zip(wires, beats, strict=True)])
        batch = (
            _INFO + self._exists + heads + queue_batch(queues, self._ranges()) + self._older.totals_batch(old)
        )
        size = 2 + len(wires) * WIRE_REPLIES + sum(number for _, number in beats)
        size += len(queues) * QUEUE_REPLIES + len(old)
        replies = iter(self._connection.call(batch, size))

        server = server_of(parse_info(_info_text(next(replies))), self._clock.now())
        self._clock.set(server.time)
        self._check_role(server)
        result = ReadResult(server, self._connection.latency, errors, used=next(replies) == 1)
        for wire in wires:
            self._take_wire(wire, replies, result)
        self._take_queues(queues, replies, result)
        self._take_old(old, replies, result)
        return result, old

    def _second_and_third(self, result: ReadResult, old: tuple[str, ...]) -> None:
        now = result.server.time
        asked = [queue for queue in result.replies if self._heads.observe(queue, now)]
        beats = [(wire, *wire.heartbeats.second()) for wire in self._wires()]
        new, new_old = self._add_queues((), result.errors), tuple(self._older.registry.names.difference(old))
        size = len(new) * QUEUE_REPLIES + len(new_old) + len(asked)
        size += sum(number for _, _, number in beats)
        if not size:
            return
        batch = b"".join([packed for _, packed, _ in beats])
        batch += queue_batch(new, self._ranges()) + self._older.totals_batch(new_old) + lengths_batch(asked)
        replies = iter(self._connection.call(batch, size))
        for wire, _, number in beats:
            wire.heartbeats.take_second(replies, number, result.errors)
        for queue in self._take_queues(new, replies, result):
            self._heads.observe(queue, now)  # the next read asks for its message
        self._take_old(new_old, replies, result)
        chosen = self._heads.select(asked, list(replies), result.errors)
        if chosen:
            messages = self._connection.call(messages_batch(chosen), len(chosen))
            self._heads.store(chosen, messages, result.errors)

    def _check_role(self, server: Server) -> None:
        if server.loading:
            raise ReadError(Cause.REDIS_LOADING, "it is loading its data set")
        if self._connection.endpoint.wants_primary and server.role != "master":
            raise ReadError(Cause.REDIS_UNREACHABLE, "it is no longer a primary", stale=True)

    def _take_wire(self, wire: WireVersion, replies: Iterator[Reply], result: ReadResult) -> None:
        mine = [next(replies) for _ in range(WIRE_REPLIES)]
        self._check(mine)
        store = wire.take(mine, result.errors)
        if store is not None:
            result.stores.append(store)
        self._take_totals(wire, WHOLE_FLEET, mine[-1], result)
        wire.heartbeats.take_first(replies, result.errors)

    def _check(self, replies: Sequence[Reply]) -> None:
        """Raise for errors that mean that nothing can be read; a key of the wrong type is not one of them."""
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError) and cause_of(reply) is not Cause.WRONG_TYPE:
                raise ReadError(cause_of(reply), str(reply), stale=self._follow(str(reply)))

    def _follow(self, error: str) -> bool:
        """Connect to the cluster node that has our keys: all in one slot, since they share a hash tag."""
        match error.split():
            case ["MOVED", _, address]:
                host, _, port = address.rpartition(":")
                return port.isdigit() and self._connection.endpoint.move(host, int(port))
        return False

    def _take_queues(
        self, queues: Iterable[QueueCommands], replies: Iterator[Reply], result: ReadResult
    ) -> list[QueueReplies]:
        taken = []
        for commands in queues:
            queue = queue_replies(commands, [next(replies) for _ in range(QUEUE_REPLIES)], result.errors)
            self._take_totals(self._current, queue.name, queue.totals, result)
            taken.append(queue)
        result.replies += taken
        return taken

    def _take_old(self, names: Iterable[str], replies: Iterator[Reply], result: ReadResult) -> None:
        for name in names:
            self._take_totals(self._older, name, next(replies), result)

    def _take_totals(self, wire: WireVersion, queue: str, reply: Reply, result: ReadResult) -> None:
        totals = wire.totals(queue, reply, result.errors)
        if totals is not None:
            result.totals.append(totals)

    def _queue(self, queue: QueueReplies, errors: Counter[str]) -> Queue:
        return Queue(
            queue.name, queue.waiting, queue.messages, queue.delayed,
            queue.dead, queue.dead_expiring, queue.dead_oldest, self._heads.ready(queue, errors),
            self._heads.delayed(queue),
        )  # fmt: skip


def _info_text(reply: Reply) -> bytes:
    """INFO's text. Raises ReadError with the reason why there is none."""
    if isinstance(reply, bytes):
        return reply
    if isinstance(reply, hiredis.ReplyError):
        raise ReadError(cause_of(reply), str(reply))
    raise ReadError(Cause.REDIS_ERROR, "INFO was not answered with text")
