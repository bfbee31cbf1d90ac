"""An executable specification of the counter transport.

Dictionaries and one atomic script model Redis; workers and exporters use it. Times are in seconds, epochs and
the times that the script writes are in microseconds. A new server process or a rollback starts a new epoch at
zero. ``test_model.py`` runs random histories of it. ``test_script.py`` compares the Lua script with
:meth:`Store.flush`, ``test_transport.py`` the worker's side with :class:`Worker`, and ``test_memory.py`` the
exporter's side with :class:`Exporter`.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Cell = tuple[str, str]  # (queue, series)
Kind = Literal["worker", "producer", "gone"]
Hashes = dict[str, dict[str, int]]

SILENT = 12 * 3600.0  # seconds without a reply after which a caller starts over
REAP_AGE = 24 * 3600.0  # seconds after which the entries of the dead are removed
SWEPT_FOR = 60_000_000  # microseconds for which the number of silent callers is believed


@dataclass
class Clock:
    """The true time in seconds."""

    now: float = 1_000_000.0


@dataclass(frozen=True)
class Call:
    """One call of the script: the increments between the sequences ``base`` and ``new``."""

    who: str
    epoch: int
    base: int
    new: int
    diffs: Counter[Cell]
    kind: Kind = "worker"
    blind: bool = False  # the run_id is hidden from this caller, as from a user who may not call INFO


@dataclass(frozen=True)
class Reply:
    """The reply of the script: the current epoch, the caller's sequence, the number of living callers."""

    epoch: int
    stored: int
    fleet: int


class Store:
    """Redis.

    ``seqs`` (epoch, run_id, queue marks, sequences), ``beats`` of workers, ``producers``, ``gone`` (callers
    that signed off), ``queues`` (all queues that ever had a total), and one ``totals:<queue>`` per queue.
    """

    def __init__(self, clock: Clock, *, shows_run_id: bool = True) -> None:
        self.clock, self.shows_run_id = clock, shows_run_id
        self.skew = 0.0  # this server's clock minus the true time
        self.server = 1  # INFO run_id
        self.hashes: Hashes = {}

    def time(self) -> float:
        """This server's clock in seconds."""
        return self.clock.now + self.skew

    def micros(self) -> int:
        """This server's clock in microseconds, as the script reads it."""
        return int(self.time() * 1_000_000)

    def hash(self, name: str) -> dict[str, int]:
        """A hash, created at its first use."""
        return self.hashes.setdefault(name, {})

    def flush(self, call: Call) -> Reply:
        """The script: heartbeat and increments in one atomic step."""
        now, who, epoch, base = self.micros(), call.who, call.epoch, call.base
        seqs = self.hash("seqs")
        current, stored = seqs.get("__epoch", 0), seqs.get(who, 0)
        silent = seqs.get("__silent", 0) if now - seqs.get("__swept", 0) < SWEPT_FOR else None
        rolled_back = epoch == current and stored < base
        server, its_server = 0 if call.blind else self.server, seqs.get("__server", 0)
        foreign = server and its_server and server != its_server
        if foreign or current == 0 or epoch > current or self.lost(call.diffs) or rolled_back:
            current, stored = max(now, epoch + 1, current + 1), 0
            seqs.clear()  # DEL
            seqs.update({"__epoch": current, "__server": server})
        elif server and not its_server:
            seqs["__server"] = server
        if epoch == current and stored == base != call.new:
            self.apply(call.diffs, current)
            seqs[who] = stored = call.new
        self.stamp(who, call.kind, now)
        fleet = len(self.hash("beats")) + len(self.hash("producers"))
        return Reply(current, stored, fleet if silent is None else max(1, fleet - silent))

    def lost(self, diffs: Counter[Cell]) -> bool:
        """Whether the hash of a queue that is marked in this epoch is missing."""
        queues = {queue for queue, _ in diffs}
        return any(
            f"q:{q}" in self.hash("seqs") and "__epoch" not in self.hash(f"totals:{q}") for q in queues
        )

    def apply(self, diffs: Counter[Cell], epoch: int) -> None:
        """Add the increments; a hash of another epoch is emptied at its first use."""
        for queue in sorted({queue for queue, _ in diffs}):
            totals = self.hash(f"totals:{queue}")
            if totals.get("__epoch") != epoch:
                totals.clear()  # DEL
                totals["__epoch"] = self.hash("seqs")[f"q:{queue}"] = epoch
                self.hash("queues")[queue] = 1  # SADD
        for (queue, series), n in diffs.items():
            totals = self.hash(f"totals:{queue}")
            totals[series] = totals.get(series, 0) + n  # HINCRBY

    def stamp(self, who: str, kind: Kind, now: int) -> None:
        """Write the time of this call, or of the sign-off."""
        if kind != "gone":
            self.hash("beats" if kind == "worker" else "producers")[who] = now
            return
        self.hash("beats").pop(who, None)
        self.hash("producers").pop(who, None)
        self.hash("gone")[who] = now

    def sweep(self, silent: int, at: int) -> None:
        """Another caller counts the entries of callers that no longer call; ``at`` in microseconds."""
        self.hash("seqs").update({"__silent": silent, "__swept": at})

    def reap(self, age: float = REAP_AGE, callers: frozenset[str] | None = None) -> None:
        """Remove the entries of callers (all, or those named) that are dead or gone for ``age`` seconds.

        Another script. A caller with a recent time in one of the hashes, perhaps in another role, is kept.
        """
        oldest = self.micros() - int(age * 1_000_000)
        roles = [self.hash(name) for name in ("beats", "producers", "gone")]
        for who in {who for role in roles for who in role if callers is None or who in callers}:
            if max(role.get(who, 0) for role in roles) < oldest:
                for entries in (*roles, self.hash("seqs")):
                    entries.pop(who, None)

    def snapshot(self) -> Hashes:
        """A copy of the data set: a dump or a replica."""
        return copy.deepcopy(self.hashes)

    def rollback(self, data: Hashes, *, skew: float = 0.0) -> None:
        """A failover or a restart with an older data set."""
        self.hashes, self.skew = copy.deepcopy(data), skew
        self.server += self.shows_run_id  # some managed services hide it: then only a sequence shows it

    def wipe(self) -> None:
        """FLUSHALL."""
        self.hashes = {}

    def lose_hash(self, name: str) -> None:
        """An eviction or a DEL."""
        self.hashes.pop(name, None)


class Worker:
    """A worker or a producer: counts that are not sent, and one open request."""

    def __init__(self, name: str, store: Store, *, blind: bool = False) -> None:
        self.name, self.store, self.clock, self.blind = name, store, store.clock, blind
        self.unsent: Counter[Cell] = Counter()
        self.open: Counter[Cell] = Counter()  # sent unchanged until there is a reply
        self.dropped: Counter[Cell] = Counter()  # because the outcome is unknown
        self.epoch = 0  # 0: not known yet
        self.acked = 0
        self.unanswered = 0  # calls with `open` that had no reply
        self.answered_at = self.clock.now

    def count(self, cell: Cell, n: int = 1) -> None:
        """Count, as a hook does."""
        self.unsent[cell] += n

    def unflushed(self) -> Counter[Cell]:
        """The counts that are lost if this process is killed now."""
        return self.unsent + self.open

    def call(self, fate: str = "ok") -> bool:
        """One script call: 'ok', 'refused' (no connection), 'lost request' or 'lost reply'.

        Returns True if nothing is left to send.
        """
        if self.clock.now - self.answered_at > SILENT:
            self.start_over(0, 0)
        if self.epoch and not self.open:
            self.open, self.unsent, self.unanswered = self.unsent, Counter(), 0
        self.clock.now += 0.0001  # no two calls in the same microsecond
        if fate == "refused":
            return False
        new, reply = self.acked + bool(self.open), None
        if fate != "lost request":
            call = Call(self.name, self.epoch, self.acked, new, self.open, blind=self.blind)
            reply = self.store.flush(call)
        if reply is None or fate == "lost reply":
            self.unanswered += 1
            return False
        self.answered_at = self.clock.now
        if reply.epoch != self.epoch or reply.stored != new:
            self.start_over(reply.epoch, reply.stored)
        else:
            self.acked, self.open = new, Counter()
        return self.epoch != 0 and not self.unsent

    def start_over(self, epoch: int, stored: int) -> None:
        """Keep only what cannot have reached Redis."""
        (self.dropped if self.unanswered else self.unsent).update(self.open)
        self.open, self.unanswered, self.epoch, self.acked = Counter(), 0, epoch, stored


@dataclass
class Exporter:
    """Publishes totals of the running server's data set; within an epoch, the highest value."""

    store: Store
    epochs: dict[str, int] = field(default_factory=dict)
    held: dict[Cell, int] = field(default_factory=dict)

    def scrape(self, *, fails: bool = False) -> dict[Cell, tuple[int, int]]:
        """The published totals: cell → (epoch, value). Totals that may be wrong are left out."""
        seqs = self.store.hashes.get("seqs", {})
        if fails or not seqs or seqs["__server"] not in {0, self.store.server}:
            return {}
        published: dict[Cell, tuple[int, int]] = {}
        for name, totals in self.store.hashes.items():
            if name.startswith("totals:") and self.trusts(name[7:], totals, seqs["__epoch"]):
                published |= self.publish(name[7:], totals)
        return published

    def trusts(self, queue: str, totals: dict[str, int], current: int) -> bool:
        """Whether the totals are of the current epoch, and not older than those published before."""
        return totals.get("__epoch", 0) == current >= self.epochs.get(queue, 0)

    def publish(self, queue: str, totals: dict[str, int]) -> dict[Cell, tuple[int, int]]:
        """One queue's totals; a newer epoch at once, within an epoch the highest value seen.

        Published series continue at 0 in a newer epoch: a series that disappeared and came back with a higher
        value would hide the reset.
        """
        epoch = totals["__epoch"]
        if epoch != self.epochs.get(queue):
            self.held |= dict.fromkeys((cell for cell in self.held if cell[0] == queue), 0)
            self.epochs[queue] = epoch
        for series in set(totals) - {"__epoch"}:
            self.held[queue, series] = max(totals[series], self.held.get((queue, series), 0))
        return {cell: (epoch, value) for cell, value in self.held.items() if cell[0] == queue}
