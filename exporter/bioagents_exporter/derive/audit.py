"""What is read in the background, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import queues as m
from bioagents_exporter.derive.family import Family, by_name

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View


def families(view: View) -> Iterator[Family]:
    """Orphaned, unheld, stuck and overdue jobs of the queues that were audited."""
    audits = sorted(view.snapshot.audits.items())
    yield by_name(m.ORPHANED, ((name, audit.orphaned) for name, audit in audits))
    yield by_name(m.UNHELD, ((name, audit.unheld) for name, audit in audits))
    yield by_name(m.STUCK, ((name, audit.stuck) for name, audit in audits))
    yield by_name(m.OVERDUE, ((name, audit.overdue) for name, audit in audits))


def age(view: View) -> float | None:
    """Seconds since the oldest of the audits; None before the first."""
    oldest = min((audit.read_at for audit in view.snapshot.audits.values()), default=None)
    return None if oldest is None else max(view.server.time - oldest, 0)
