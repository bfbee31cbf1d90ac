"""A model of Prometheus: it adds up increases."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from transport.model import Cell


@dataclass
class Prometheus:
    """Adds up increases as ``increase()`` does: a decrease is a reset, and the new value counts in full."""

    last: dict[Cell, tuple[int, int]] = field(default_factory=dict)
    total: Counter[Cell] = field(default_factory=Counter)

    def take(self, samples: dict[Cell, tuple[int, int]]) -> None:
        """One scrape: cell -> (epoch, value)."""
        for cell, (epoch, value) in samples.items():
            before = self.last.get(cell, (0, 0))[1]
            self.total[cell] += value - before if value >= before else value
            self.last[cell] = (epoch, value)
