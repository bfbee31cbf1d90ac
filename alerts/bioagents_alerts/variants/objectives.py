"""The objectives of slo.yml: for all queues, and for queues apart."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from bioagents_alerts.variants.constants import number

#: The highest burn rate that an alert waits for: with fewer allowed jobs than this share, it can fire.
FASTEST: Final = 14.4

EXPECTED: Final = f"expected a number above {1 - 1 / FASTEST:.4f} and below 1, such as 0.99"

#: Objective → the recording rule whose last number it is.
RECORDS: Final = {
    "success": "queue:bioagents_success_slo:objective",
    "wait": "queue:bioagents_wait_slo:objective",
}

_RULE: Final = re.compile(r"0 \* (?P<queues>[\w:]+) \+ (?P<objective>[\d.]+)\s*")


@dataclass(frozen=True, slots=True)
class Objective:
    """One share of good jobs."""

    name: str  # a key of RECORDS
    value: float
    queue: str = ""  # empty: every queue without an objective of its own


def check(value: float) -> float:
    """The objective; ValueError where no job may be bad, or where the fast burn could never be reached."""
    if not 0 < value < 1:
        raise ValueError(EXPECTED)
    if FASTEST * (1 - value) >= 1:
        raise ValueError(
            f"the alerts of the fast burn could never fire, as {FASTEST} × (1 - {number(value)}) = "
            f"{number(FASTEST * (1 - value))} is 1 or more: {EXPECTED}"
        )
    return value


def apply(expression: str, objectives: tuple[Objective, ...]) -> str:
    """The expression of one of the RECORDS with these objectives, all of which are about it."""
    if not objectives:
        return expression
    found = _RULE.fullmatch(expression)
    if not found:
        raise ValueError(f"the objective is not where it should be: {expression}")
    series, value = found["queues"], found["objective"]
    apart = [
        f"0 * {series}{{queue={json.dumps(objective.queue, ensure_ascii=False)}}} + {number(objective.value)}"
        for objective in objectives
        if objective.queue
    ]
    of_all = next((number(objective.value) for objective in objectives if not objective.queue), value)
    return "\nor ".join([*apart, f"0 * {series} + {of_all}"]) + ("\n" if apart else "")
