"""The thresholds that are numbers in the rules, and numbers as people read them.

All other thresholds are limits of a queue: metrics of the exporter, which people set in its configuration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Threshold:
    """The default of an alert's threshold, what it is, and the number that it must be below."""

    default: float
    meaning: str
    below: float = math.inf


#: Alert → threshold.
THRESHOLDS: Final[Mapping[str, Threshold]] = MappingProxyType(
    {
        "ExporterReadStale": Threshold(300, "seconds of age"),
        "HighJobFailureRate": Threshold(0.1, "failures per second"),
        "JobRetryStorm": Threshold(0.5, "a share of the attempts", below=1),
        "MetricsFlushDelayed": Threshold(60, "seconds of age"),
        "RedisMemoryHigh": Threshold(0.9, "a share of the limit", below=1),
        "RedisSlow": Threshold(0.1, "seconds of a round trip"),
        "WorkerClockSkew": Threshold(10, "seconds of difference"),
        "WorkerMemoryHigh": Threshold(0.9, "a share of the limit", below=1),
        "WorkerRestarting": Threshold(3.5, "starts per worker and hour"),
    }
)


# What no flag changes, because it is part of the alert's meaning.
#: WorkersAtCapacity: the share of slots in use.
AT_CAPACITY: Final = 0.9
#: RedisReplicationBroken: seconds since a replica last received data.
REPLICA_LAG: Final = 30
#: WorkersUneven: a worker's share of the average attempts of its group.
UNEVEN: Final = 0.2
#: WorkersUneven: attempts per consumer thread in half an hour, from which on workers are compared.
COMPARABLE: Final = 40


def number(value: float) -> str:
    """A number as PromQL and people write it."""
    return f"{value:.12g}"


def percent(share: float) -> str:
    """A share as ``50%``."""
    return f"{number(share * 100)}%"


def duration(seconds: float) -> str:
    """As ``humanizeDuration`` of Prometheus writes it: ``1h 30m``."""
    if seconds < 1:
        return f"{number(seconds * 1000)}ms"
    parts: list[str] = []
    left = seconds
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        whole, left = divmod(left, length)
        if whole or parts:
            parts.append(f"{int(whole)}{unit}")
    if left or not parts:
        parts.append(f"{number(left)}s")
    while parts[-1].startswith("0"):
        parts.pop()
    return " ".join(parts)
