"""The lines of one metric.

Between two scrapes of a fleet its series stay and their numbers change. So all that comes before a number is
kept as a ready string, and each scrape formats numbers and joins. Measured on 213,000 lines (22 MB) of 10,000
workers and 1,000 queues: 52 ms; ``generate_latest`` of prometheus-client takes 75 ms for each 10,000 lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bioagents_exporter.catalogue import Metric
from bioagents_exporter.derive.family import Family, Number
from bioagents_exporter.render import text
from bioagents_exporter.render.series import Series
from bioagents_worker.wire import BUCKETS

_BOUNDS: Final = (*(text.bound(upper) for upper in BUCKETS), "+Inf")

#: Values for each key of a histogram: the buckets, the sum, the count.
HISTOGRAM_VALUES: Final = len(_BOUNDS) + 2


class Block:
    """Made for certain series; :meth:`render` takes families with the keys of these."""

    def __init__(self, metric: Metric, name: str, series: Series) -> None:
        self.series = series
        self._per_key = HISTOGRAM_VALUES if metric.type == "histogram" else 1
        self._values: Sequence[Number] = ()
        self._text = b""
        starts = _histogram_starts(name, series) if metric.type == "histogram" else _starts(name, series)
        head = f"# HELP {name} {text.help_text(metric.help)}\n# TYPE {name} {metric.type}"
        self._parts = _with_gaps(head, starts)

    def render(self, family: Family) -> bytes:
        """HELP, TYPE and one line for each value."""
        if not self._text or family.values != self._values:
            self._values = family.values
            self._parts[1::2] = text.numbers(self._shown(family.values))
            self._text = "".join(self._parts).encode()
        return self._text

    def _shown(self, values: Sequence[Number]) -> Sequence[Number]:
        if self.series.shown is None:
            return values
        n = self._per_key
        return [value for i in self.series.shown for value in values[i * n : (i + 1) * n]]


def _starts(name: str, series: Series) -> list[str]:
    return [f"\n{name}{{{labels}}} " for labels in series.labels]


def _histogram_starts(name: str, series: Series) -> list[str]:
    return [start for labels in series.labels for start in _histogram_lines(name, labels)]


def _histogram_lines(name: str, labels: str) -> Iterator[str]:
    for upper in _BOUNDS:
        yield f'\n{name}_bucket{{{labels},le="{upper}"}} '
    yield f"\n{name}_sum{{{labels}}} "
    yield f"\n{name}_count{{{labels}}} "


def _with_gaps(head: str, starts: Sequence[str]) -> list[str]:
    """The parts of the text with an empty one for each number."""
    parts = [""] * (2 * len(starts) + 1)
    parts[0:-1:2] = starts
    parts[0] = head + starts[0]
    parts[-1] = "\n"
    return parts
