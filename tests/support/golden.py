"""The exposition of the reference fleet, as ``tests/render/golden.prom`` has it.

A change of what users see is made on purpose: ``PYTHONPATH=tests python -m support.golden`` writes the file,
the review shows the difference.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Final

from bioagents_exporter.derive import Family, Memory, derive, sample
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.render import Renderer
from support.snapshots import reference_fleet, reference_settings

PATH: Final = Path(__file__).parents[1] / "render" / "golden.prom"


def reference_families() -> list[Family]:
    """A minute of the reference fleet, then a scrape: every metric has a series."""
    ticks = itertools.count()
    memory = Memory(clock=lambda: next(ticks) / 1_024)
    read, settings = reference_fleet(), reference_settings()
    for now in range(0, 65, 5):
        sample(_later(read, now), memory, settings, now)
    memory.scraped(0.0125)
    return derive(_later(read, 60), memory, settings, 61.5)


def text() -> bytes:
    """The exposition, without what is of this process and this version."""
    families = [family for family in reference_families() if _stays(family)]
    return Renderer(prefix="bioagents_", fleet="reference").render(families)


def _stays(family: Family) -> bool:
    return family.metric.prefixed and family.metric.name != "exporter_build_info"


def _later(read: Snapshot, seconds: int) -> Snapshot:
    """The same fleet with attempts finished since."""
    fields = [dict(found.fields) for found in read.totals]
    fields[1]["processed|answer"] += seconds
    hashes = tuple(replace(found, fields=new) for found, new in zip(read.totals, fields, strict=True))
    return replace(read, totals=hashes)


if __name__ == "__main__":
    PATH.write_bytes(text())
