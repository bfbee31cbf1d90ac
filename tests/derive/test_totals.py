"""Published totals never fall within an epoch, and never come from another server's data."""

from __future__ import annotations

from dataclasses import replace

from bioagents_exporter.derive.totals import TotalsMemory, comparable_run_id
from bioagents_exporter.read.snapshot import Store
from support.snapshots import RUN_ID, SERVER, totals

STORES = (Store(1, 1_000, RUN_ID),)


def test_within_an_epoch_the_highest_value_is_published() -> None:
    """A replica that lags, or a scrape that overtakes another, shows no fall; a vanished field stays."""
    memory = TotalsMemory()
    memory.update(STORES, [totals("chat", {"processed|a": 5, "dead|a": 1})], RUN_ID)
    (held,) = memory.update(STORES, [totals("chat", {"processed|a": 3})], RUN_ID)
    assert held.fields == {"processed|a": 5, "dead|a": 1}


def test_a_newer_epoch_is_published_at_once_and_an_older_one_never() -> None:
    """A true reset shows; a rollback to the data before it does not."""
    memory = TotalsMemory()
    memory.update(STORES, [totals("chat", {"processed|a": 5})], RUN_ID)
    newer = memory.update(
        [Store(1, 2_000, RUN_ID)], [totals("chat", {"processed|a": 1}, epoch=2_000)], RUN_ID
    )
    assert [(held.epoch, held.fields) for held in newer] == [(2_000, {"processed|a": 1})]
    assert memory.update(STORES, [totals("chat", {"processed|a": 9})], RUN_ID) == []


def test_what_was_published_goes_on_at_zero_in_a_newer_epoch() -> None:
    """Prometheus sees the reset of a series that comes back later and higher; at 0 every scrape shows it."""
    memory = TotalsMemory()
    memory.update(STORES, [totals("chat", {"processed|a": 5, "failures|a|E": 2})], RUN_ID)
    read = [totals("chat", {"processed|a": 0}, epoch=2_000)]
    (held,) = memory.update([Store(1, 2_000, RUN_ID)], read, RUN_ID)
    assert held.fields == {"processed|a": 0, "failures|a|E": 0}


def test_totals_of_another_epoch_than_their_stores_are_left_out() -> None:
    """Such a hash is emptied at its first use; until then it is of a data set that ended."""
    read = [totals("chat", {"processed|a": 5}, epoch=999), totals("deep", {"processed|b": 1})]
    assert [held.queue for held in TotalsMemory().update(STORES, read, RUN_ID)] == ["deep"]


def test_without_a_store_of_this_server_nothing_is_published() -> None:
    """After a restart, a failover or FLUSHALL, until a worker has called."""
    for stores in ((), (Store(1, 1_000, "another"),), (Store(0, 1_000, RUN_ID),)):
        assert TotalsMemory().update(stores, [totals("chat", {"processed|a": 5})], RUN_ID) == [], stores


def test_the_run_id_is_not_compared_on_a_replica_nor_where_it_is_hidden() -> None:
    """A replica has a run_id of its own; a managed service may show none to the exporter or the workers."""
    assert comparable_run_id(SERVER) == RUN_ID
    assert comparable_run_id(replace(SERVER, role="slave")) is None
    assert comparable_run_id(replace(SERVER, run_id="")) is None
    read = [totals("chat", {"processed|a": 5})]
    assert len(TotalsMemory().update([Store(1, 1_000, "another")], read, None)) == 1
    assert len(TotalsMemory().update([Store(1, 1_000, "")], read, RUN_ID)) == 1


def test_wire_versions_are_kept_apart() -> None:
    """Two hashes that are reset at different times."""
    memory = TotalsMemory()
    stores = (*STORES, Store(0, 7, RUN_ID))
    read = [totals("chat", {"processed|a": 5}), totals("chat", {"processed|a": 9}, epoch=7, wire=0)]
    held = memory.update(stores, read, RUN_ID)
    assert [(h.wire, h.epoch, h.fields["processed|a"]) for h in held] == [(1, 1_000, 5), (0, 7, 9)]


def test_numbers_that_no_counter_can_reach_are_not_taken() -> None:
    """An HSET of another program: below zero, or beyond what HINCRBY can count."""
    read = [totals("chat", {"processed|a": -1, "dead|a": 2**63, "skipped|a": 2**63 - 1})]
    (held,) = TotalsMemory().update(STORES, read, RUN_ID)
    assert held.fields == {"skipped|a": 2**63 - 1}
