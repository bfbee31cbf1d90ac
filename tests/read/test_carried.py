"""A snapshot carries nothing that no part of the exporter uses."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import bioagents_exporter
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Queue, QueueAudit, Snapshot, Store, Totals, Worker

EXPORTER = Path(bioagents_exporter.__file__).parent
USERS = [path for part in ("derive", "serve") for path in (EXPORTER / part).rglob("*.py")]


def test_what_is_read_is_used() -> None:
    """By the parts that derive and serve; a field that only tests use need not be read."""
    text = "\n".join(path.read_text() for path in USERS)
    kinds = (Server, Queue, Worker, Totals, Store, QueueAudit, Snapshot)
    named = [f"{kind.__name__}.{field.name}" for kind in kinds for field in fields(kind)]
    assert [name for name in named if f".{name.partition('.')[2]}" not in text] == []
