"""The objectives of slo.yml: shares of good jobs, for all queues and for single queues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bioagents_alerts.thresholds import number

#: Objective → its default, for every queue without an objective of its own.
DEFAULTS: Final[Mapping[str, float]] = MappingProxyType({"success": 0.99, "wait": 0.95})


@dataclass(frozen=True, slots=True)
class Burn:
    """A pair of windows, and the burn rate over both from which an alert fires."""

    long: str
    short: str
    threshold: float
    pages: bool


#: The pairs of Google's SRE Workbook, chapter 5, the fastest first.
BURNS: Final = (
    Burn("1h", "5m", 14.4, pages=True),
    Burn("6h", "30m", 6, pages=True),
    Burn("1d", "2h", 3, pages=False),
    Burn("3d", "6h", 1, pages=False),
)
#: The highest burn rate that an alert waits for: with fewer allowed jobs than this share, it can fire.
FASTEST: Final = BURNS[0].threshold

EXPECTED: Final = f"expected a number above {1 - 1 / FASTEST:.4f} and below 1, such as 0.99"


@dataclass(frozen=True, slots=True)
class Objective:
    """One share of good jobs."""

    name: str  # a key of DEFAULTS
    value: float
    queue: str = ""  # empty: every queue without an objective of its own


def check(value: float) -> float:
    """The objective; ValueError where no job may be bad, or where the fast burn could never be reached."""
    if not 0 < value < 1:
        raise ValueError(EXPECTED)
    if FASTEST * (1 - value) >= 1:
        raise ValueError(
            f"the alerts of the fast burn could never fire, because {FASTEST} × (1 - {number(value)}) = "
            f"{number(FASTEST * (1 - value))} is 1 or more: {EXPECTED}"
        )
    return value


def matcher(objective: Objective) -> str:
    """The matcher of the objective's queue."""
    return f"queue={json.dumps(objective.queue, ensure_ascii=False)}"
