"""Variants of the specification that each lack one rule, each with a short history that shows its need.

The history is fixed. A random search for one would depend on the modules that happen to be loaded: Hypothesis
draws constants from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from transport.histories import HiddenRunId, History
from transport.model import Call, Cell, Exporter, Reply, Store, Worker

Step = Callable[[History], None]


def work(n: int, fate: str = "ok", *, i: int = 0) -> Step:
    """Worker ``i`` counts ``n`` and calls."""
    return lambda history: history.work(i=i, cell=("chat", "ok"), n=n, fate=fate)


def calls(history: History) -> None:
    """Every worker calls."""
    history.all_call(fate="ok")


def boot(history: History) -> None:
    """Another worker starts."""
    history.boot_one()


def save(history: History) -> None:
    """Redis saves its data."""
    history.snapshot()


def restart(history: History) -> None:
    """Redis restarts with the data that it saved last."""
    history.redis_restarts_or_fails_over(k=0, skew=0.0)


def wipe(history: History) -> None:
    """FLUSHALL."""
    history.flushall()


def scrape(history: History) -> None:
    """The first copy of the exporter is scraped."""
    history.scrape(0)


def restart_exporter(history: History) -> None:
    """The first copy of the exporter restarts and is scraped."""
    history.exporter_restarts(i=0)


def evict(name: str) -> Step:
    """A hash is gone."""
    return lambda history: history.hash_is_evicted(name=name)


def sleep(seconds: float) -> Step:
    """Time passes."""
    return lambda history: history.sleep(seconds=seconds)


def reap(history: History) -> None:
    """Entries of the dead are removed."""
    history.reap()


def kill(history: History) -> None:
    """The first worker is killed."""
    history.kill(i=0)


def play(machine: History, steps: tuple[Step, ...]) -> None:
    """Run one history with all checks: AssertionError where a promise is broken."""
    for step in (History.epoch_begins, *steps, History.teardown):
        step(machine)
        machine.epoch_begins()
        machine.scrape_always()


class Broken(History):
    """Base of the variants."""

    steps: ClassVar[tuple[Step, ...]]  # with which this variant breaks a promise, and the specification none


class BrokenWithHiddenRunId(HiddenRunId, Broken):
    """The same where the run_id is hidden."""


class _NoEpoch(Store):
    """A wiped or rolled back data set counts as the same one: only sequences decide."""

    def flush(self, call: Call) -> Reply:
        self.hash("seqs").update({"__epoch": 1, "__server": self.server})
        stored = self.hash("seqs").get(call.who, 0)
        if stored <= call.base != call.new:
            self.apply(call.diffs, 1)
            self.hash("seqs")[call.who] = call.new
        self.stamp(call.who, call.kind, self.micros())
        return Reply(1, call.new if call.epoch else stored, 1)


class NoEpoch(Broken):
    """Without an epoch a decrease of the totals looks like a reset of the same data."""

    store_class = _NoEpoch
    steps = (work(1), save, work(1), scrape, restart, calls, restart_exporter)


class _NoSequence(Store):
    """Every call is applied."""

    def flush(self, call: Call) -> Reply:
        self.hash("seqs")[call.who] = call.base
        return super().flush(call)


class NoSequence(Broken):
    """Increments whose reply was lost are applied again."""

    store_class = _NoSequence
    steps = (work(1, "lost reply"),)


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


class NoRunId(Broken):
    """An exporter restarted during a rollback publishes the old totals: a false reset."""

    exporter_class = _NoRunId
    steps = (work(5), save, work(5), scrape, restart, restart_exporter, work(1))


class _SameEpochAfterRestart(Store):
    """A new server process keeps the epoch that it finds."""

    def flush(self, call: Call) -> Reply:
        if "__epoch" in self.hash("seqs"):
            self.hash("seqs")["__server"] = self.server
        return super().flush(call)


class SameEpochAfterRestart(Broken):
    """Totals decrease within an epoch, and only a caller whose sequence went back notices."""

    scrapes_always = True
    store_class = _SameEpochAfterRestart
    steps = (boot, save, work(2), restart, restart_exporter, kill, work(1))


class _NoRollback(Store):
    """A sequence that went back is accepted."""

    def flush(self, call: Call) -> Reply:
        seqs = self.hash("seqs")
        if seqs.get("__epoch") == call.epoch and seqs.get(call.who, 0) < call.base:
            seqs[call.who] = call.base
        return super().flush(call)


class NoRollback(BrokenWithHiddenRunId):
    """If the run_id is hidden, nothing else shows that data went back."""

    store_class = _NoRollback
    steps = (work(5), scrape, save, work(3), scrape, restart, work(2), scrape)


class _NoMarks(Store):
    """A missing hash is started again in the same epoch."""

    def lost(self, diffs: Counter[Cell]) -> bool:  # noqa: ARG002 - the signature of the replaced method
        return False


class NoMarks(Broken):
    """The exporter publishes the highest value of the epoch, so new counts below it are hidden."""

    store_class = _NoMarks
    steps = (work(5), scrape, evict("totals:chat"), work(2), scrape)


class _KeptTotals(Store):
    """A hash of an older epoch keeps its values."""

    def apply(self, diffs: Counter[Cell], epoch: int) -> None:
        for queue in {queue for queue, _ in diffs}:
            self.hash(f"totals:{queue}")["__epoch"] = self.hash("seqs")[f"q:{queue}"] = epoch
        super().apply(diffs, epoch)


class KeptTotals(Broken):
    """Old totals in a new epoch count as a reset, in full."""

    scrapes_always = True
    store_class = _KeptTotals
    steps = (work(1), save, work(2), restart, work(1), calls)


class _ResendsDropped(Worker):
    """Increments whose outcome is unknown are sent again in the new epoch."""

    def start_over(self, epoch: int, stored: int) -> None:
        self.unanswered = 0
        super().start_over(epoch, stored)


class ResendsDropped(Broken):
    """They may have been applied and scraped before the data were lost."""

    worker_class = _ResendsDropped
    steps = (work(1, "lost reply"), sleep(50_000))


class _DropsUnsent(Worker):
    """A new epoch drops all counts so far without reporting it."""

    def start_over(self, epoch: int, stored: int) -> None:
        super().start_over(epoch, stored)
        if epoch:
            self.unsent.clear()


class DropsUnsent(Broken):
    """Counts that cannot have arrived must be kept."""

    worker_class = _DropsUnsent
    steps = (wipe, boot, work(1))


class _GrowingDifference(Worker):
    """New counts are added to the open request."""

    def call(self, fate: str = "ok") -> bool:
        if self.open:
            self.open, self.unsent = self.open + self.unsent, Counter()
        return super().call(fate)


class GrowingDifference(Broken):
    """The script has already applied this sequence, so the added counts are lost."""

    worker_class = _GrowingDifference
    steps = (work(1, "lost reply"), work(1))


class _NeverSilent(Worker):
    """After any time without a reply it continues with its sequence."""

    def call(self, fate: str = "ok") -> bool:
        self.answered_at = self.clock.now
        return super().call(fate)


def _second_calls(history: History) -> None:
    history.workers[1].call()


def _first_keeps_the_epoch(history: History) -> None:
    epoch = history.store.hash("seqs")["__epoch"]
    history.workers[0].call()
    assert history.store.hash("seqs")["__epoch"] == epoch, "data were lost for no reason"


class NeverSilent(Broken):
    """Its sequence may have been reaped, and a false rollback empties everything."""

    worker_class = _NeverSilent
    steps = (work(5), boot, sleep(90_000), _second_calls, reap, _first_keeps_the_epoch)


class _ReapsSequencesAtOnce(Store):
    """Entries are removed before a caller without a reply has started over."""

    def reap(self, age: float = 1000.0, callers: frozenset[str] | None = None) -> None:
        super().reap(age, callers)


def _first_is_known(history: History) -> None:
    assert history.store.hash("seqs").get("w1") == 1, "reaped alive"


class ReapsTooEarly(Broken):
    """A running caller without a sequence looks like a rollback: data are lost for no reason."""

    store_class = _ReapsSequencesAtOnce
    steps = (work(5), sleep(4000), reap, calls, _first_is_known)


class _NoHold(Exporter):
    """The current value in Redis is published."""

    def publish(self, queue: str, totals: dict[str, int]) -> dict[Cell, tuple[int, int]]:
        self.held = {}
        return super().publish(queue, totals)


class NoHold(BrokenWithHiddenRunId):
    """A rollback that is not noticed yet is visible as a decrease."""

    scrapes_always = True
    exporter_class = _NoHold
    steps = (work(2, "lost request"), save, calls, sleep(50_000), restart, calls, work(1))


class _AnyEpoch(Exporter):
    """A totals hash of another epoch than the current one is published too."""

    def trusts(self, queue: str, totals: dict[str, int], current: int) -> bool:  # noqa: ARG002 - as above
        return "__epoch" in totals


class AnyEpoch(Broken):
    """Rolled back totals of an older epoch follow those of a newer one."""

    scrapes_always = True
    exporter_class = _AnyEpoch
    steps = (work(1), save, wipe, calls, work(1), restart, calls)


VARIANTS: list[type[Broken]] = [
    NoEpoch, NoSequence, NoRunId, SameEpochAfterRestart, NoRollback, NoMarks, KeptTotals, ResendsDropped,
    DropsUnsent, GrowingDifference, NeverSilent, ReapsTooEarly, NoHold, AnyEpoch,
]  # fmt: skip
