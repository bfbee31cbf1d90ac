"""The rules as data, the names in their expressions, and every series that may be queried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import promql_parser
import yaml

from bioagents_alerts import promql, rules_folder
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS, Metric
from support.checkout import ROOT

#: The labels in which copies of one exporter differ.
COPIES: Final = frozenset(promql.COPIES)


@dataclass(frozen=True, slots=True)
class Rule:
    """One recording or alerting rule."""

    file: str
    group: str
    name: str  # of the alert or of the recorded series
    rule: dict[str, Any]

    @property
    def expression(self) -> str:
        """Its PromQL."""
        return str(self.rule["expr"])


class Alert(Rule):
    """An alerting rule."""


@dataclass(slots=True)
class Names:
    """What an expression is made of."""

    metrics: set[str] = field(default_factory=set)
    matched: set[tuple[str, str]] = field(default_factory=set)  # metric and a label of its selector
    grouped: list[tuple[bool, frozenset[str]]] = field(default_factory=list)  # by? and the labels
    functions: set[str] = field(default_factory=set)
    ranged: set[tuple[str, str]] = field(default_factory=set)  # function and the metric whose range it takes
    plain: set[str] = field(default_factory=set)  # metrics that are selected without a range


def alerts() -> list[Alert]:
    """Every alerting rule that ships, in the order of the files."""
    return [rule for rule in rules() if isinstance(rule, Alert)]


def records() -> list[Rule]:
    """Every recording rule that ships."""
    return [rule for rule in rules() if not isinstance(rule, Alert)]


def rules() -> list[Rule]:
    """Every rule that ships, in the order of the files."""
    return list(_rules())


def _rules() -> Iterator[Rule]:
    for path in sorted(rules_folder().glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                kind, key = (Alert, "alert") if "alert" in rule else (Rule, "record")
                yield kind(path.name, group["name"], rule[key], rule)


def names(expression: str) -> Names:
    """Metrics, labels and functions of an expression; an error where a second parser refuses it."""
    found = Names()
    _note(promql_parser.parse(expression), found)
    return found


def parts(expression: str) -> Iterator[Any]:
    """Every node of an expression's tree."""

    def of(node: object) -> Iterator[object]:
        yield node
        for child in _children(node):
            yield from of(child)

    return of(promql_parser.parse(expression))


def _note(node: object, found: Names, function: str = "") -> None:
    match node:
        case promql_parser.MatrixSelector():
            found.ranged.add((function, str(node.vector_selector.name)))
            _selected(node.vector_selector, found)
        case promql_parser.VectorSelector():
            found.plain.add(str(node.name))
            _selected(node, found)
        case promql_parser.AggregateExpr():
            by = node.modifier is None or node.modifier.type == promql_parser.AggModifierType.By
            found.grouped.append((by, frozenset(node.modifier.labels if node.modifier else ())))
        case promql_parser.Call():
            function = node.func.name
            found.functions.add(function)
    for child in _children(node):
        _note(child, found, function)


def _selected(node: promql_parser.VectorSelector, found: Names) -> None:
    assert node.name, "a selector names its metric"
    found.metrics.add(node.name)
    found.matched |= {(node.name, matcher.name) for matcher in node.matchers.matchers}


def _children(node: object) -> list[object]:
    match node:
        case promql_parser.AggregateExpr():
            return [node.expr]
        case promql_parser.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql_parser.Call():
            return list(node.args)
        case promql_parser.ParenExpr() | promql_parser.SubqueryExpr() | promql_parser.UnaryExpr():
            return [node.expr]
    return []


class _Loader(yaml.SafeLoader):
    """Takes ``0x20`` for what promtool does: twenty more samples of 0, and no 32."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:int"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789"))


def rule_tests(text: str) -> dict[str, Any]:
    """A file of alerts/tests as data."""
    document: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    return document


def keeps_copies(expression: str) -> bool:
    """Whether a result may carry the labels in which copies of the exporter differ."""
    return _keeps_copies(promql_parser.parse(expression))


def _keeps_copies(node: object) -> bool:
    match node:
        case promql_parser.MatrixSelector():
            return _keeps_copies(node.vector_selector)
        case promql_parser.VectorSelector():
            return ":" not in str(node.name)  # a recorded series: its own rule is looked at
        case promql_parser.AggregateExpr() if node.modifier and set(node.modifier.labels) >= COPIES:
            return False
        case promql_parser.BinaryExpr() if str(node.op) in {"and", "unless"}:
            return _keeps_copies(node.lhs)  # the right side only decides
    return any(map(_keeps_copies, _children(node)))


@cache
def board_expressions() -> tuple[str, ...]:
    """Every expression of the committed boards, Grafana's intervals as a duration that no rule has."""
    found = set[str]()
    for path in (ROOT / "dashboards/json").glob("*.json"):
        found |= set(_expressions(json.loads(path.read_text(encoding="utf-8"))))
    return tuple(sorted(re.sub(r"\$__(?:rate_)?interval", "7m", expression) for expression in found))


def _expressions(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _expressions(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "expr" and isinstance(value, str):
                yield value
            else:
                yield from _expressions(value)


#: Suffixes of a histogram's series.
ENDINGS = ("_bucket", "_count", "_sum")


@cache
def published() -> dict[str, frozenset[str]]:
    """Name of each series of the exporter → its labels."""
    found = {}
    for metric in METRICS:
        name, own = metric.full_name("bioagents_"), {FLEET_LABEL, *metric.labels, *metric.optional}
        endings = ENDINGS if metric.type == "histogram" else ("",)
        found |= {name + end: frozenset(own | ({"le"} if end == "_bucket" else set())) for end in endings}
    return found


def metric_of(name: str) -> Metric:
    """The catalogue's metric of a series; KeyError for none."""
    by_name = {metric.full_name("bioagents_"): metric for metric in METRICS}
    return by_name.get(name) or by_name[name.rpartition("_")[0]]


@cache
def recorded() -> dict[str, frozenset[str]]:
    """Name of each recorded series → the labels of all that it is made of."""
    rules = {rule.name: rule.expression for rule in records()}

    def labels(name: str) -> frozenset[str]:
        if name in rules:
            return frozenset().union(*map(labels, names(rules[name]).metrics))
        return published().get(name, frozenset())

    return {name: labels(name) for name in rules}
