"""The rules as data, and what their expressions name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import promql_parser
import yaml

from bioagents_alerts import rules_folder


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule."""

    file: str
    group: str
    name: str
    rule: dict[str, Any]

    @property
    def expression(self) -> str:
        """Its PromQL."""
        return str(self.rule["expr"])


@dataclass(slots=True)
class Names:
    """What an expression is made of."""

    metrics: set[str] = field(default_factory=set)
    matched: set[tuple[str, str]] = field(default_factory=set)  # metric and a label of its selector
    grouped: list[tuple[bool, frozenset[str]]] = field(default_factory=list)  # by? and the labels
    functions: set[str] = field(default_factory=set)


def alerts() -> list[Alert]:
    """Every alerting rule that ships, in the order of the files."""
    return list(_alerts())


def _alerts() -> Iterator[Alert]:
    for path in sorted(rules_folder().glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    yield Alert(path.name, group["name"], rule["alert"], rule)


def names(expression: str) -> Names:
    """Metrics, labels and functions of an expression; an error where a second parser refuses it."""
    found = Names()
    promql_parser.walk(promql_parser.parse(expression), lambda node: _note(node, found))
    return found


def _note(node: object, found: Names) -> bool:
    match node:
        case promql_parser.MatrixSelector():
            _note(node.vector_selector, found)
        case promql_parser.VectorSelector(name=str() as metric):
            found.metrics.add(metric)
            found.matched |= {(metric, matcher.name) for matcher in node.matchers.matchers}
        case promql_parser.AggregateExpr():
            by = node.modifier is None or node.modifier.type == promql_parser.AggModifierType.By
            found.grouped.append((by, frozenset(node.modifier.labels if node.modifier else ())))
        case promql_parser.Call():
            found.functions.add(node.func.name)
    return True
