"""Rules as values: what the sources build, durations are scaled in, and YAML is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bioagents_alerts.durations import scale_duration, scale_expression


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule; the comment is for operators, in the YAML."""

    name: str
    expr: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alerting rule; an empty duration is left out."""

    name: str
    expr: str
    pending: str = ""  # `for` in YAML
    keep_firing: str = ""  # `keep_firing_for` in YAML
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    comment: str = ""


Rule: TypeAlias = Record | Alert


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that Prometheus evaluates in order; an empty interval is the global one."""

    name: str
    rules: tuple[Rule, ...]
    comment: str = ""
    interval: str = ""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file of rules; ``name`` has no ending."""

    name: str
    comment: str
    groups: tuple[Group, ...]


def scaled(file: RuleFile, factor: float) -> RuleFile:
    """The file with every range, offset, ``for``, ``keep_firing_for`` and interval divided by ``factor``.

    Labels, annotations and thresholds stay. ValueError for a factor that is not positive and finite, or so
    large that a duration would become 0.
    """
    return replace(file, groups=tuple(_scaled_group(group, factor) for group in file.groups))


def _scaled_group(group: Group, factor: float) -> Group:
    rules = tuple(_scaled_rule(rule, factor) for rule in group.rules)
    return replace(group, rules=rules, interval=_scaled_duration(group.interval, factor))


def _scaled_rule(rule: Rule, factor: float) -> Rule:
    expr = scale_expression(rule.expr, factor)
    if isinstance(rule, Record):
        return replace(rule, expr=expr)
    return replace(
        rule,
        expr=expr,
        pending=_scaled_duration(rule.pending, factor),
        keep_firing=_scaled_duration(rule.keep_firing, factor),
    )


def _scaled_duration(text: str, factor: float) -> str:
    return scale_duration(text, factor) if text else ""
