"""Dramatiq's messages, as far as JSON: another encoder's bytes are never decoded, pickle least of all."""

from __future__ import annotations

import json
import math
from typing import Any, Final

_MAX_TIME: Final = 1e15  # ms; far beyond any message


def decode_message(raw: bytes) -> dict[str, Any] | None:
    """A message with its ``options``, which is a dictionary; None if it is no Dramatiq message in JSON."""
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(decoded, dict) and isinstance(decoded.get("options"), dict):
        return decoded
    return None


def milliseconds(value: object) -> float | None:
    """A wall-clock time in ms; None for whatever else stands there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and 0 < number < _MAX_TIME else None
