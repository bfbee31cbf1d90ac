"""Durations of Prometheus and Alertmanager (``1h30m``, to the millisecond), alone and inside PromQL."""

from __future__ import annotations

import math
import re
from typing import Final

_DURATION: Final = r"(?:\d+(?:ms|[smhdwy]))+"

_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_DAY: Final = 86_400_000
_MILLISECONDS: Final = {
    "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": _DAY, "w": 7 * _DAY, "y": 365 * _DAY,
}  # fmt: skip


def milliseconds(text: str) -> int:
    """The length of a duration; ValueError for anything else."""
    if text != "0" and not re.fullmatch(_DURATION, text):
        raise ValueError(f"{text!r} is not a valid duration; expected one such as 30s, 5m or 1h30m")
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text))


def scale_duration(text: str, factor: float) -> str:
    """A duration divided by ``factor``, to the millisecond.

    ValueError for a factor that is not positive and finite, and where nothing would be left of the duration:
    a range of 0 is an error to Prometheus, and a ``for`` of 0 is another alert.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"{factor!r} is not a valid factor; expected a positive number")
    length = milliseconds(text)
    scaled = round(length / factor)
    if length and not scaled:
        raise ValueError(
            f"{text} divided by {factor:g} is less than a millisecond; expected a smaller factor"
        )
    return f"{scaled // 1000}s" if scaled % 1000 == 0 else f"{scaled}ms"


# What can hold a duration, and what can only look like it; the order decides.
_TOKEN: Final = re.compile(
    rf"""
      (?P<text>   "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*` )
    | (?P<comment>\#[^\n]* )
    | (?P<range>  \[[^\]]*\] )
    | (?P<offset> (?i:offset)\s+-?\s*{_DURATION}\b )
    | (?P<word>   [A-Za-z_:][\w:]* )
    """,
    re.VERBOSE | re.DOTALL,
)
_RANGE: Final = re.compile(rf"\[\s*{_DURATION}\s*(?::\s*(?:{_DURATION})?\s*)?\]")


def scale_expression(expression: str, factor: float) -> str:
    """The expression with each range, subquery step and offset divided by ``factor``.

    Thresholds and numbers in seconds stay as they are. ValueError names a range that holds no plain duration.
    """

    def scaled(match: re.Match[str]) -> str:
        if match.lastgroup not in {"range", "offset"}:
            return match[0]
        if match.lastgroup == "range" and not _RANGE.fullmatch(match[0]):
            raise ValueError(f"{match[0]} is not a valid range; expected one such as [5m] or [1h:1m]")
        return re.sub(_DURATION, lambda duration: scale_duration(duration[0], factor), match[0])

    return _TOKEN.sub(scaled, expression)
