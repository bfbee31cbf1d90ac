"""Medians of interleaved repetitions, with their range."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some repetitions, the lowest and the highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, unit: str) -> str:
        """The median in three significant digits."""
        return f"{plain(self.median)} {unit}"

    def range_text(self) -> str:
        """``median (low–high)`` without a unit, for ratios."""
        return f"{plain(self.median)} ({plain(self.low)}–{plain(self.high)})"


def plain(value: float) -> str:
    """Three significant digits, never an exponent."""
    if abs(value) >= 100:  # noqa: PLR2004 (three digits before the point)
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.6f}"  # noqa: PLR2004 (%g turns exponential)


def ratio(ours: Sequence[float], other: Sequence[float]) -> Spread:
    """Ratios of each repetition, because the two values of a pair had the same load of the machine."""
    return Spread.of([mine / its for mine, its in zip(ours, other, strict=True)])


def interleave(repetitions: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run each measure once per repetition, in rotating order."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    names = list(measures)
    for turn in range(repetitions):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            values[name].append(measures[name]())
    return values
