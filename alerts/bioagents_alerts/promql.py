"""Durations in PromQL: ranges, subqueries and offsets, not their look-alikes in strings and names."""

from __future__ import annotations

import re
from typing import Final

from bioagents_alerts.durations import DURATION, scale_duration

# What can hold a duration, and what can only look like it; the order decides.
_TOKEN: Final = re.compile(
    rf"""
      (?P<text>   "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*` )
    | (?P<comment>\#[^\n]* )
    | (?P<range>  \[[^\]]*\] )
    | (?P<offset> (?i:offset)\s+-?\s*{DURATION}\b )
    | (?P<word>   [A-Za-z_:][\w:]* )
    """,
    re.VERBOSE | re.DOTALL,
)
_RANGE: Final = re.compile(rf"\[\s*{DURATION}\s*(?::\s*(?:{DURATION})?\s*)?\]")


def scale_expression(expression: str, factor: float) -> str:
    """The expression with each range, subquery step and offset divided by ``factor``.

    Thresholds and numbers in seconds stay as they are. ValueError names a range that holds no plain duration.
    """

    def scaled(match: re.Match[str]) -> str:
        if match.lastgroup not in {"range", "offset"}:
            return match[0]
        if match.lastgroup == "range" and not _RANGE.fullmatch(match[0]):
            raise ValueError(f"{match[0]} is no range; expected one such as [5m] or [1h:1m]")
        return re.sub(DURATION, lambda duration: scale_duration(duration[0], factor), match[0])

    return _TOKEN.sub(scaled, expression)
