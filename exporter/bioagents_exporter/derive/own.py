"""The exporter's own metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import exporter as m
from bioagents_exporter.derive.family import Family, known, single
from bioagents_worker import __version__

if TYPE_CHECKING:
    from bioagents_exporter.derive.ledger import Ledger, Source


def families(ledger: Ledger, now: float) -> Iterator[Family]:
    """Published by every copy, whatever happens. ``now``: monotonic seconds of this process."""
    errors = sorted(ledger.errors.items())
    sources = sorted(ledger.sources.items())
    keys = [(name,) for name, _ in sources]
    yield Family(m.BUILD_INFO, [(__version__,)], [1])
    if ledger.scrape_duration is not None:
        yield single(m.SCRAPE_DURATION, ledger.scrape_duration)
    yield Family(m.SCRAPE_ERRORS, [(cause,) for cause, _ in errors], [n for _, n in errors])
    yield known(m.SOURCE_AGE, keys, (_age(source, now) for _, source in sources))
    yield known(m.SOURCE_DURATION, keys, (source.duration for _, source in sources))
    yield Family(m.SOURCE_SUCCESS, keys, [int(source.success) for _, source in sources])


def _age(source: Source, now: float) -> float | None:
    return None if source.fresh_at is None else max(now - source.fresh_at, 0)
