"""Numbers as people read them; an unknown one is a dash."""

from __future__ import annotations

import math
from typing import Final

UNKNOWN: Final = "\N{EN DASH}"
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def number(value: float | None) -> str:
    """``12``, ``0.25``, ``∞``."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return "∞"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def seconds(value: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 m 5 s``, ``2 d 1 h``: the largest unit and the one below it."""
    if value is None or not math.isfinite(value):
        return number(value)
    if value < 10:  # noqa: PLR2004 - below that a tenth matters
        return f"{value:.1f} s" if value else "0 s"
    first = next(n for n, (_, size) in enumerate(_UNITS) if value >= size)
    rest, parts = int(value), []
    for unit, size in _UNITS[first : first + 2]:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
        rest %= size
    return " ".join(parts)


def percent(value: float | None) -> str:
    """``12.5 %``."""
    return UNKNOWN if value is None else f"{value * 100:.1f} %"


def size(value: float | None) -> str:
    """``512 MiB``, ``1.5 GiB``."""
    if value is None:
        return UNKNOWN
    mebibytes = value / 2**20
    return f"{mebibytes:.0f} MiB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GiB"  # noqa: PLR2004
