"""Durations as Prometheus and Alertmanager write them, ``1h30m``; their resolution is a millisecond."""

from __future__ import annotations

import math
import re
from typing import Final

#: A regular expression for one duration.
DURATION: Final = r"(?:\d+(?:ms|[smhdwy]))+"

_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_DAY: Final = 86_400_000
_MILLISECONDS: Final = {
    "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": _DAY, "w": 7 * _DAY, "y": 365 * _DAY,
}  # fmt: skip


def milliseconds(text: str) -> int:
    """The length of a duration; ValueError for anything else."""
    if text != "0" and not re.fullmatch(DURATION, text):
        raise ValueError(f"{text!r} is no duration; expected one such as 30s, 5m or 1h30m")
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text))


def scale_duration(text: str, factor: float) -> str:
    """A duration divided by ``factor``, to the millisecond.

    ValueError for a factor that is not positive and finite, and where nothing would be left of the duration:
    a range of 0 is an error to Prometheus, and a ``for`` of 0 is another alert.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"{factor!r} is no factor; expected a positive number")
    length = milliseconds(text)
    scaled = round(length / factor)
    if length and not scaled:
        raise ValueError(
            f"{text} divided by {factor:g} is less than a millisecond; expected a smaller factor"
        )
    return f"{scaled // 1000}s" if scaled % 1000 == 0 else f"{scaled}ms"
