"""One step of the audit after the other, round and round all queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from bioagents_exporter.read.audit.brokers import Brokers, Holder, heartbeats_command, is_fresh, scores_of
from bioagents_exporter.read.audit.ledger import FIXED, QueueAuditing, Unheld
from bioagents_exporter.read.audit.looks import look, look_again, look_at_suspects, sample_delayed
from bioagents_exporter.read.audit.overdue import SAMPLE, DelayedSample
from bioagents_exporter.read.audit.slices import MAX_HOLDERS, Slices
from bioagents_exporter.read.audit.stuck import Suspects
from bioagents_exporter.read.connection import Connection
from bioagents_exporter.read.info import Clock
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot, Worker

#: Commands for the queues of one step. With the second looks, the messages of the samples and what the
#: discovery may send, a step stays below 5,000.
COMMANDS: Final = 3000


class Auditor:
    """Fills ``results``; a step needs the last snapshot, which knows the queues and the workers."""

    def __init__(
        self, namespace: str, heartbeat_timeout: float, connection: Connection, clock: Clock
    ) -> None:
        self._namespace, self._timeout = namespace, heartbeat_timeout
        self._connection, self._clock = connection, clock
        self._left: list[Queue] = []  # of this round
        self._slices, self._suspects, self._unheld = Slices(), Suspects(), Unheld()
        self.results: Mapping[str, QueueAudit] = {}  # replaced, never changed: snapshots hold it

    def step(self, snapshot: Snapshot, errors: Counter[str]) -> None:
        """Audit the next queues. Raises ReadError."""
        now = self._clock.now()
        scores = scores_of(self._connection.call(heartbeats_command(self._namespace), 1)[0], errors)
        brokers = Brokers(scores or {}, snapshot.workers, now, self._timeout)
        audits = self._choose(snapshot, brokers)
        if not audits:
            return
        look(self._connection, audits, errors)
        look_again(self._connection, audits, errors)
        look_at_suspects(self._connection, audits, self._suspects, now, errors)
        overdue = sample_delayed(self._connection, audits, now, errors)
        self._publish(audits, overdue, snapshot.workers, complete=scores is not None)

    def _choose(self, snapshot: Snapshot, brokers: Brokers) -> list[QueueAuditing]:
        if not self._left:
            self._left = list(reversed(snapshot.queues))
            self._suspects.keep({worker.id for worker in snapshot.workers})
        chosen: list[QueueAuditing] = []
        room = COMMANDS
        while self._left:
            queue = self._left[-1]
            holders = brokers.of(queue.name)
            room -= FIXED + 2 * min(len(holders), MAX_HOLDERS) + (1 + SAMPLE if queue.delayed else 0)
            if room < 0:
                break
            self._left.pop()
            chosen.append(self._auditing(queue, *self._slices.next(queue.name, holders)))
        return chosen

    def _auditing(self, queue: Queue, holders: Sequence[Holder], whole: bool) -> QueueAuditing:  # noqa: FBT001
        key = f"{self._namespace}:{queue.name}.DQ.msgs".encode()
        sample = DelayedSample(key) if queue.delayed else None
        return QueueAuditing(self._namespace, queue.name, holders, sample, whole)

    def _publish(
        self,
        audits: Sequence[QueueAuditing],
        overdue: Mapping[str, int | None],
        workers: Sequence[Worker],
        *,
        complete: bool,
    ) -> None:
        """``complete``: all holders are known; without that, only what our own workers tell is certain."""
        read_at = self._clock.now()
        results = dict(self.results)
        stuck = self._suspects.stuck({worker.id for worker in workers if is_fresh(worker, read_at)})
        for audit in audits:
            queue = audit.queue
            orphaned = self._slices.orphaned(queue, audit.orphaned if complete else None)
            unheld = self._unheld.take(queue, audit.unheld if complete else None)
            late = overdue.get(queue, None if audit.delayed is None else 0)
            results[queue] = QueueAudit(orphaned, unheld, stuck[queue], late, read_at)
        self.results = results
