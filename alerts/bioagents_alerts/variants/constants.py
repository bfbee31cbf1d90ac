"""The few thresholds that stand in the rules themselves, because they are not a matter of a queue.

All others are the exporter's limits, metrics that people set in its configuration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bioagents_alerts.scale import Node


@dataclass(frozen=True, slots=True)
class Constant:
    """One number of one alert, and where it stands.

    A place holds ``{}`` for the number, ``{percent}`` or ``{duration}`` for it as people read it.
    """

    alert: str
    default: float
    meaning: str
    expression: str
    texts: tuple[str, ...] = ()
    below: float = float("inf")

    def apply(self, rule: dict[str, Node], value: float) -> dict[str, Node]:
        """The rule with another number; ValueError where the number is not where it should be."""
        changed = dict(rule)
        changed["expr"] = self._replaced(rule["expr"], self.expression, value)
        annotations = rule["annotations"]
        if self.texts and isinstance(annotations, dict):
            description = annotations["description"]
            for place in self.texts:
                description = self._replaced(description, place, value)
            changed["annotations"] = {**annotations, "description": description}
        return changed

    def _replaced(self, text: Node, place: str, value: float) -> str:
        old, new = _written(place, self.default), _written(place, value)
        replaced, times = re.subn(rf"(?<![\w.]){re.escape(old)}(?![\w.]*\w)", lambda _: new, str(text))
        if not times:
            raise ValueError(f"the rule {self.alert} holds no {old!r}")
        return replaced


#: In the order of the alphabet.
CONSTANTS: Final = (
    Constant("ExporterReadStale", 300, "seconds of age", "> {}"),
    Constant("HighJobFailureRate", 0.1, "failures per second", "> {}", ("more than {}",)),
    Constant("JobRetryStorm", 0.5, "a share of the attempts", "> {}", ("more than {percent}",), below=1),
    Constant("MetricsFlushDelayed", 60, "seconds of age", "> {}", ("more than {duration}",)),
    Constant("RedisMemoryHigh", 0.9, "a share of the limit", "> {}", ("more than {percent}",), below=1),
    Constant("RedisSlow", 0.1, "seconds of a round trip", "> {}", ("more than {duration}",)),
    Constant("WorkerClockSkew", 10, "seconds of difference", "> {}", ("> {}",)),
    Constant("WorkerMemoryHigh", 0.9, "a share of the limit", "> {}", below=1),
    Constant("WorkerRestarting", 3.5, "boots per hour", "> {}", ("> {}",)),
)

BY_ALERT: Final[Mapping[str, Constant]] = {constant.alert: constant for constant in CONSTANTS}


def number(value: float) -> str:
    """A number as PromQL and people write it."""
    return f"{value:.12g}"


def _written(place: str, value: float) -> str:
    return place.format(number(value), percent=f"{number(value * 100)}%", duration=_duration(value))


def _duration(seconds: float) -> str:
    """As ``humanizeDuration`` of Prometheus writes it."""
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
