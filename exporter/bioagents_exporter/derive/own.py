"""The exporter's own metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import exporter as m
from bioagents_exporter.derive.family import Family, by_name, single
from bioagents_worker.version import __version__

if TYPE_CHECKING:
    from bioagents_exporter.derive.ledger import Ledger, Source


def families(ledger: Ledger, now: float) -> Iterator[Family]:
    """Published by every copy, whatever happens. ``now``: monotonic seconds of this process."""
    sources = sorted(ledger.sources.items())
    yield Family(m.BUILD_INFO, [(__version__,)], [1])
    if ledger.scrape_duration is not None:
        yield single(m.SCRAPE_DURATION, ledger.scrape_duration)
    yield by_name(m.SCRAPE_ERRORS, sorted(ledger.errors.items()))
    yield by_name(m.SOURCE_AGE, ((name, _age(source, now)) for name, source in sources))
    yield by_name(m.SOURCE_DURATION, ((name, source.duration) for name, source in sources))
    yield by_name(m.SOURCE_SUCCESS, ((name, int(source.success)) for name, source in sources))


def _age(source: Source, now: float) -> float | None:
    return None if source.fresh_at is None else max(now - source.fresh_at, 0)
