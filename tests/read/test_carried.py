"""A snapshot carries nothing that no part of the exporter uses."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import bioagents_exporter
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot, Store, Totals, Worker

EXPORTER = Path(bioagents_exporter.__file__).parent
USERS = [path for part in ("derive", "serve") for path in (EXPORTER / part).rglob("*.py")]


@pytest.mark.parametrize("kind", [Server, Queue, Worker, Totals, Store, QueueAudit, Snapshot])
def test_what_is_read_is_used(kind: type) -> None:
    """By the parts that derive and serve; a field that only tests look at is work for nobody."""
    text = "\n".join(path.read_text() for path in USERS)
    assert [field.name for field in fields(kind) if f".{field.name}" not in text] == []
