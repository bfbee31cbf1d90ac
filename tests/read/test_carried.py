"""A snapshot carries nothing that no part of the exporter uses."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from bioagents_exporter.derive import Memory, derive
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot, Store, Totals, Worker
from bioagents_exporter.serve.collector import Collected
from bioagents_exporter.serve.preflight import is_empty
from bioagents_exporter.serve.status import status
from bioagents_exporter.settings import Settings
from support.snapshots import SERVER, reference_fleet

KINDS = (Server, Queue, Worker, Totals, Store, QueueAudit, Snapshot)


def test_what_is_read_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field has a part in the metrics or the status of a replica, of a primary or of a failed read."""
    replica = reference_fleet()
    primary = replace(replica, server=SERVER)
    reads = (replica, primary, Snapshot(None, 0.0, failure="Redis h:1: refused"))
    taken = {kind: record(kind, monkeypatch) for kind in KINDS}
    for read in reads:
        is_empty(read)  # its warning is on the status page
        status(Collected(read, tuple(derive(read, Memory(), Settings(), 1_000.0)), b""), Settings(), {})
    carried = {f"{kind.__name__}.{field.name}" for kind in KINDS for field in fields(kind)}
    assert carried - {f"{kind.__name__}.{name}" for kind in KINDS for name in taken[kind]} == set()


def record(kind: type, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the attributes of objects of this class that are taken from now on."""
    taken: set[str] = set()

    def taking(one: object, name: str) -> Any:  # noqa: ANN401 - whatever the attribute is
        taken.add(name)
        return object.__getattribute__(one, name)

    monkeypatch.setattr(kind, "__getattribute__", taking)
    return taken
