"""The exporter's memory of totals is compared with ``Exporter`` of the specification, scrape by scrape."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bioagents_exporter.derive.totals import TotalsMemory
from bioagents_exporter.read.snapshot import Store as ReadStore
from bioagents_exporter.read.snapshot import Totals
from bioagents_worker.wire import WIRE_VERSION
from transport.broken import VARIANTS, Broken, play
from transport.histories import HiddenRunId, History, SomeBlind
from transport.model import Cell, Exporter, Store

SETTINGS = settings(
    max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)


class ComparedExporter(Exporter):
    """The specified exporter, and the real memory, which must publish the same."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.memory = TotalsMemory()

    def scrape(self, *, fails: bool = False) -> dict[Cell, tuple[int, int]]:
        """Scrape both; a read that fails does not reach the memory."""
        published = super().scrape(fails=fails)
        if not fails:
            assert self.remembered() == published
        return published

    def remembered(self) -> dict[Cell, tuple[int, int]]:
        """The totals that the real memory publishes from a read of the store."""
        seqs = self.store.hashes.get("seqs", {})
        epoch, server = seqs.get("__epoch"), str(seqs.get("__server") or "")
        stores = [] if epoch is None else [ReadStore(WIRE_VERSION, epoch, server)]
        held = self.memory.update(
            stores, self.read(), str(self.store.server) if self.store.shows_run_id else None
        )
        return {(h.queue, name): (h.epoch, n) for h in held for name, n in h.fields.items()}

    def read(self) -> list[Totals]:
        """The totals as the exporter reads them."""
        found = []
        for name, fields in self.store.hashes.items():
            if name.startswith("totals:") and fields:
                rest = {series: n for series, n in fields.items() if series != "__epoch"}
                found.append(Totals(name[7:], WIRE_VERSION, fields["__epoch"], rest))
        return found


class MemoryInAllHistories(History):
    """Every exporter is compared with the specification."""

    exporter_class = ComparedExporter


class MemoryWithHiddenRunId(HiddenRunId):
    """The same with a hidden run_id."""

    exporter_class = ComparedExporter


class MemoryWithSomeBlind(SomeBlind):
    """The same with a run_id that only some callers see."""

    exporter_class = ComparedExporter


@pytest.mark.parametrize("machine", [MemoryInAllHistories, MemoryWithHiddenRunId, MemoryWithSomeBlind])
def test_exporter_publishes_the_totals_of_the_specification(machine: type[History]) -> None:
    """The same series, epochs and values in 300 random histories each."""
    run_state_machine_as_test(machine, settings=SETTINGS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_exporter_publishes_the_totals_where_each_rule_is_needed(variant: type[Broken]) -> None:
    """In the history that shows the need of a rule, which random ones seldom do."""
    play((MemoryInAllHistories if variant.shows_run_id else MemoryWithHiddenRunId)(), variant.steps)
