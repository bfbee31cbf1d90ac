"""Variants of the specification that each lack one rule; the histories must catch every one of them."""

from __future__ import annotations

from collections import Counter

from transport.histories import HiddenRunId, Transport
from transport.model import Call, Cell, Exporter, Reply, Store, Worker


class _NoEpoch(Store):
    """A wiped or rolled back data set is taken for the same one: sequences alone decide."""

    def flush(self, call: Call) -> Reply:
        self.hash("seqs").update({"__epoch": 1, "__server": self.server})
        stored = self.hash("seqs").get(call.who, 0)
        if stored <= call.base != call.new:
            self.apply(call.diffs, 1)
            self.hash("seqs")[call.who] = call.new
        self.sign(call.who, call.kind, self.micros())
        return Reply(1, call.new if call.epoch else stored, 1)


class NoEpoch(Transport):
    """Without an epoch a fall of the totals looks like a reset of the same data."""

    store_class = _NoEpoch


class _NoSequence(Store):
    """Whatever arrives is applied."""

    def flush(self, call: Call) -> Reply:
        self.hash("seqs")[call.who] = call.base
        return super().flush(call)


class NoSequence(Transport):
    """A difference whose reply was lost is applied again."""

    store_class = _NoSequence


class _NoRunId(Exporter):
    """Totals of a server process that no worker has called yet are published."""

    def scrape(self, *, fails: bool = False) -> dict[Cell, tuple[int, int]]:
        seqs = self.store.hashes.get("seqs", {})
        return super().scrape(fails=fails) if not seqs else self._with(seqs["__server"], fails=fails)

    def _with(self, server: int, *, fails: bool) -> dict[Cell, tuple[int, int]]:
        real, self.store.server = self.store.server, server
        try:
            return super().scrape(fails=fails)
        finally:
            self.store.server = real


class NoRunId(Transport):
    """An exporter restarted during a rollback publishes the old totals: a false reset."""

    exporter_class = _NoRunId


class _SameEpochAfterRestart(Store):
    """A new server process goes on with the epoch that it finds."""

    def flush(self, call: Call) -> Reply:
        if "__epoch" in self.hash("seqs"):
            self.hash("seqs")["__server"] = self.server
        return super().flush(call)


class SameEpochAfterRestart(Transport):
    """Totals went back within an epoch, and nobody noticed who was not rolled back himself."""

    scrapes_always = True
    store_class = _SameEpochAfterRestart


class _NoRollback(Store):
    """A sequence that went back is believed."""

    def flush(self, call: Call) -> Reply:
        seqs = self.hash("seqs")
        if seqs.get("__epoch") == call.epoch and seqs.get(call.who, 0) < call.base:
            seqs[call.who] = call.base
        return super().flush(call)


class NoRollback(HiddenRunId):
    """Where the run_id is hidden nothing else tells that data went back."""

    store_class = _NoRollback


class _NoMarks(Store):
    """A hash that vanished is begun again in the same epoch."""

    def lost(self, diffs: Counter[Cell]) -> bool:  # noqa: ARG002 - the signature of what it replaces
        return False


class NoMarks(Transport):
    """The exporter holds the highest value of the epoch, and the new counts stay hidden beneath it."""

    store_class = _NoMarks


class _KeptTotals(Store):
    """A hash of an older epoch is taken over with what stands in it."""

    def apply(self, diffs: Counter[Cell], epoch: int) -> None:
        for queue in {queue for queue, _ in diffs}:
            self.hash(f"totals:{queue}")["__epoch"] = self.hash("seqs")[f"q:{queue}"] = epoch
        super().apply(diffs, epoch)


class KeptTotals(Transport):
    """Old totals under a new epoch count as a reset, whole."""

    scrapes_always = True
    store_class = _KeptTotals


class _ResendsDropped(Worker):
    """A difference whose outcome is unknown is sent again in the new epoch."""

    def start_anew(self, epoch: int, stored: int) -> None:
        self.unanswered = 0
        super().start_anew(epoch, stored)


class ResendsDropped(Transport):
    """It may have been applied, and scraped, before the data went."""

    worker_class = _ResendsDropped


class _DropsUnsent(Worker):
    """With a new epoch everything counted so far is forgotten, unreported."""

    def start_anew(self, epoch: int, stored: int) -> None:
        super().start_anew(epoch, stored)
        if epoch:
            self.unsent.clear()


class DropsUnsent(Transport):
    """What certainly never arrived must be kept."""

    worker_class = _DropsUnsent


class _GrowingDifference(Worker):
    """What was counted since is added to the difference under way."""

    def call(self, fate: str = "ok") -> bool:
        if self.open:
            self.open, self.unsent = self.open + self.unsent, Counter()
        return super().call(fate)


class GrowingDifference(Transport):
    """The script takes it for the one it has applied, and the addition is lost."""

    worker_class = _GrowingDifference


class _NeverSilent(Worker):
    """However long it was away, it goes on where it stopped."""

    def call(self, fate: str = "ok") -> bool:
        self.answered_at = self.clock.now
        return super().call(fate)


class NeverSilent(Transport):
    """Its sequence may have been reaped meanwhile, and a wrong rollback empties everything."""

    worker_class = _NeverSilent


class _ReapsSequencesAtOnce(Store):
    """Entries are removed before a caller that was silent has given up."""

    def reap(self, age: float = 1000.0, callers: frozenset[str] | None = None) -> None:
        super().reap(age, callers)


class ReapsTooEarly(Transport):
    """A living caller without a sequence looks like a rollback: data goes for no reason."""

    store_class = _ReapsSequencesAtOnce


class _NoHold(Exporter):
    """Whatever stands in Redis is published."""

    def publish(self, queue: str, totals: dict[str, int]) -> dict[Cell, tuple[int, int]]:
        self.held = {}
        return super().publish(queue, totals)


class NoHold(HiddenRunId):
    """A rollback that is not noticed yet shows as a fall."""

    scrapes_always = True
    exporter_class = _NoHold


class _AnyEpoch(Exporter):
    """A totals hash of another epoch than the running one is published too."""

    def trusts(self, queue: str, totals: dict[str, int], current: int) -> bool:  # noqa: ARG002 - as above
        return "__epoch" in totals


class AnyEpoch(Transport):
    """Rolled back totals of an older epoch come after those of a newer one."""

    scrapes_always = True
    exporter_class = _AnyEpoch


# Caught by random histories within moments.
VARIANTS: list[type[Transport]] = [
    NoEpoch, NoSequence, SameEpochAfterRestart, KeptTotals, ResendsDropped, DropsUnsent, GrowingDifference,
    NoHold, AnyEpoch,
]  # fmt: skip
