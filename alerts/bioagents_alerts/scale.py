"""Copies of rules and configurations in which all durations are divided by one factor.

A test or a demo that waits for an alert then takes seconds, and runs the very rules that page people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bioagents_alerts.durations import scale_duration, scale_expression

#: What YAML holds.
Node: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"

_Scaler: TypeAlias = Callable[[str, float], str]


def _unchanged(text: str, _factor: float) -> str:
    return text


_RULES: Final[Mapping[str, _Scaler]] = {
    "interval": scale_duration,
    "for": scale_duration,
    "keep_firing_for": scale_duration,
    "expr": scale_expression,
    "labels": _unchanged,
    "annotations": _unchanged,
}
_ALERTMANAGER: Final[Mapping[str, _Scaler]] = dict.fromkeys(
    ("group_wait", "group_interval", "repeat_interval", "resolve_timeout"), scale_duration
)


def scale_durations(rules: Node, factor: float) -> Node:
    """A parsed rule file with every ``for``, ``keep_firing_for``, group interval, range and offset divided.

    Labels, annotations and thresholds stay as they are. ValueError for a factor that is not positive and
    finite, or so large that a duration would vanish.
    """
    return _scale(rules, factor, _RULES)


def scale_alertmanager(config: Node, factor: float) -> Node:
    """A parsed Alertmanager configuration with its waits and intervals divided; errors as above."""
    return _scale(config, factor, _ALERTMANAGER)


def _scale(node: Node, factor: float, scalers: Mapping[str, _Scaler]) -> Node:
    if isinstance(node, list):
        return [_scale(item, factor, scalers) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _scale_value(key, value, factor, scalers) for key, value in node.items()}


def _scale_value(key: str, value: Node, factor: float, scalers: Mapping[str, _Scaler]) -> Node:
    scaler = scalers.get(key)
    if scaler is None:
        return _scale(value, factor, scalers)
    return scaler(value, factor) if isinstance(value, str) else value
