"""What is read in the background, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import queues as m
from bioagents_exporter.derive.family import Family, known

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View


def families(view: View) -> Iterator[Family]:
    """Orphaned, unheld, stuck and overdue jobs of the queues that were audited."""
    keys = [(name,) for name in view.snapshot.audits]
    audits = view.snapshot.audits.values()
    yield known(m.ORPHANED, keys, (audit.orphaned for audit in audits))
    yield known(m.UNHELD, keys, (audit.unheld for audit in audits))
    yield known(m.STUCK, keys, (audit.stuck for audit in audits))
    yield known(m.OVERDUE, keys, (audit.overdue for audit in audits))


def age(view: View) -> float | None:
    """Seconds since the oldest of the audits; None before the first."""
    oldest = min((audit.read_at for audit in view.snapshot.audits.values()), default=None)
    return None if oldest is None else max(view.server.time - oldest, 0)
