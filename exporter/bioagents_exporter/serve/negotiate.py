"""What a request's headers ask for."""

from __future__ import annotations

import math
from typing import Final

DEFAULT_BUDGET: Final = 5.0  # seconds to answer when the client does not say how long it waits
_SHARE: Final = 0.7  # of the time that Prometheus waits; the rest is for the way
_LEAST: Final = 0.2  # seconds


def budget(timeout: str | None) -> float:
    """Seconds to answer, from the scrape timeout that Prometheus sends along."""
    try:
        seconds = float(timeout or "")
    except ValueError:
        return DEFAULT_BUDGET
    return max(seconds * _SHARE, _LEAST) if math.isfinite(seconds) else DEFAULT_BUDGET


def accepts_gzip(header: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip."""
    for part in header.lower().split(","):
        coding, _, parameters = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            quality = parameters.replace(" ", "").removeprefix("q=")
            return not quality or quality.strip("0.") != ""
    return False
