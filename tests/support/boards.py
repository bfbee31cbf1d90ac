"""The committed boards as the tests look at them: panels, queries, PromQL with its variables filled in."""

from __future__ import annotations

import enum
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

import promql_parser as promql

from bioagents_dashboards.shipped import boards_folder

Json = dict[str, Any]
Thing = TypeVar("Thing")

#: What Grafana puts in place of a variable when everything is chosen.
EVERYTHING: Final = {
    **dict.fromkeys(("job", "instance", "fleet", "queue", "actor", "worker"), ".+"),
    **dict.fromkeys(("region", "cluster", "environment"), ".*"),
    "__rate_interval": "1m",
}
#: What the variable ``worker`` asks, instead of the values of a label.
QUERY_RESULT: Final = "query_result("


#: Queries that show copies of the exporter apart, where all others give one answer, each with its reason.
APART: Final = MappingProxyType(
    {
        "Redis and exporter / Redis as each copy sees it / A": "one copy may lose its own way to Redis",
        "Redis and exporter / Round trip of each copy / A": "distinguishes a slow network from a slow Redis",
        "Redis and exporter / Replication link of each copy / A": "copies may read different replicas",
        "Redis and exporter / Replication lag of each copy / A": "copies may read different replicas",
        **dict.fromkeys(
            (f"Redis and exporter / Copies of the exporter / {ref}" for ref in "ABCDEFGH"),
            "each copy is a process of its own",
        ),
        "Redis and exporter / Scrape duration of each copy / A": "each copy is a process of its own",
        "Redis and exporter / Memory of each copy / A": "each copy is a process of its own",
        "Redis and exporter / CPU of each copy / A": "each copy is a process of its own",
    }
)


@dataclass(frozen=True, slots=True)
class Query:
    """One query and its place."""

    board: str
    panel: str
    ref: str
    expression: str
    instant: bool

    def __str__(self) -> str:
        """The id of a test."""
        return f"{self.board} / {self.panel} / {self.ref}"


@dataclass(frozen=True, slots=True)
class Selector:
    """One selection of series in a query."""

    name: str
    matchers: Mapping[str, tuple[str, str]]  # label → operator, value
    window: bool  # it is a range, ``[...]``


def boards() -> dict[str, Json]:
    """File name → board."""
    return {path.name: json.loads(path.read_text()) for path in sorted(boards_folder().glob("*.json"))}


def panels(board: Json) -> list[Json]:
    """All panels but the rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: Json | None = None) -> list[Query]:
    """Each query of each panel of one board or of all."""
    return [
        Query(board["title"], panel["title"], target["refId"], target["expr"], bool(target.get("instant")))
        for board in ([board] if board else boards().values())
        for panel in panels(board)
        for target in panel["targets"]
    ]


def annotation_queries(board: Json | None = None) -> list[Query]:
    """What one board, or each, marks in its graphs."""
    return [
        Query(board["title"], f"annotation {note['name']}", "", note["expr"], instant=False)
        for board in ([board] if board else boards().values())
        for note in board["annotations"]["list"]
    ]


def variable_queries(board: Json | None = None) -> list[Query]:
    """What the variables of one board, or of each, offer, as the PromQL inside Grafana's functions."""
    return [
        Query(board["title"], f"variable {variable['name']}", "", variable_query(variable)[0], instant=True)
        for board in ([board] if board else boards().values())
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    ]


def variable_query(variable: Json) -> tuple[str, str]:
    """The PromQL inside the function that a variable calls, and the label that it shows."""
    query = variable["query"]["query"]
    if query.startswith(QUERY_RESULT):
        return query.removeprefix(QUERY_RESULT).removesuffix(")"), variable["name"]
    match = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert match, query
    return match[1], match[2]


def expression_of(name: str) -> str:
    """The query of a panel, as ``"SLO / SLO alerts / A"``."""
    (found,) = [query.expression for query in queries() if str(query) == name]
    return found


def hold(things: Iterable[Thing], check: Callable[[Thing], object]) -> None:
    """Check all things; AssertionError with every failure, and for nothing to check."""
    failures, checked = [], 0
    for thing in things:
        checked += 1
        try:
            check(thing)
        except (AssertionError, LookupError, ValueError) as error:
            failures.append(f"{_name(thing)}: {type(error).__name__} {error}")
    assert checked
    assert not failures, "\n".join(failures)


def _name(thing: object) -> object:
    return thing.get("title") if isinstance(thing, dict) else getattr(thing, "name", thing)


def fill(query: str, values: Mapping[str, str] = EVERYTHING) -> str:
    """PromQL as Grafana sends it."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda m: values[m[1] or m[2]], query)


@functools.cache
def selectors(expression: str) -> tuple[Selector, ...]:
    """All selections of series; ValueError for what is no PromQL."""
    found: list[Selector] = []
    windows: list[promql.MatrixSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.MatrixSelector):
            windows.append(node)
        elif isinstance(node, promql.VectorSelector):  # the next node after the range that holds it
            found.append(_selector(node, window=bool(windows)))
            windows.clear()

    # The parser knows no `$`: it gets a duration instead.
    promql.walk(promql.parse(expression.replace("$__rate_interval", "1m")), visit)
    return tuple(found)


def _selector(node: promql.VectorSelector, *, window: bool) -> Selector:
    matchers = {m.name: (_OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers}
    return Selector(node.name or "", matchers, window)


_OPERATORS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def grouping_labels(expression: str) -> Iterator[str]:
    """Labels named in by, without, on, ignoring and group_left."""
    for names in re.findall(r"\b(?:by|without|on|ignoring|group_left) \(([^)]*)\)", expression):
        yield from filter(None, (name.strip() for name in names.split(",")))


class Lines(enum.IntEnum):
    """How many lines a fleet of a thousand workers has in a result."""

    NOT_BY_WORKER = 0
    FEW = 1
    EACH_WORKER = 2


def lines(expression: str, by_worker: Callable[[str], bool], few: int) -> Lines:
    """Of a query; ``by_worker`` returns whether a series has the label worker.

    FEW is the result of a topk or bottomk of at most ``few``, or what is left next to such a result. Whatever
    aggregates the label worker away, or is recorded by role, host, queue or fleet, is not by worker.
    """
    return _lines(promql.parse(expression.replace("$__rate_interval", "1m")), by_worker, few)


def _lines(node: promql.Expr, by_worker: Callable[[str], bool], few: int) -> Lines:
    match node:
        case promql.VectorSelector():
            return Lines.EACH_WORKER if by_worker(str(node.name)) else Lines.NOT_BY_WORKER
        case promql.AggregateExpr():
            return _aggregated(node, _lines(node.expr, by_worker, few), few)
        case promql.BinaryExpr():
            left, right = (_lines(side, by_worker, few) for side in (node.lhs, node.rhs))
            return _joined(node, left, right)
    return max((_lines(part, by_worker, few) for part in _parts(node)), default=Lines.NOT_BY_WORKER)


def _parts(node: promql.Expr) -> list[promql.Expr]:
    match node:
        case promql.MatrixSelector():
            return [node.vector_selector]
        case promql.ParenExpr() | promql.SubqueryExpr() | promql.UnaryExpr():
            return [node.expr]
        case promql.Call():
            return list(node.args)
    return []


def _aggregated(node: promql.AggregateExpr, of: Lines, few: int) -> Lines:
    named = "worker" in (node.modifier.labels if node.modifier else ())
    without = node.modifier is not None and node.modifier.type == promql.AggModifierType.Without
    if str(node.op) in {"topk", "bottomk"}:
        bounded = isinstance(node.param, promql.NumberLiteral) and node.param.val <= few
        together = node.modifier is None or named == without  # not so many of each worker
        return min(of, Lines.FEW) if bounded and together else of
    return of if named != without else Lines.NOT_BY_WORKER


def _joined(node: promql.BinaryExpr, left: Lines, right: Lines) -> Lines:
    """Sides that meet worker by worker leave as few lines as the one with fewer of them."""
    if str(node.op) in {"or", "unless"}:
        return max(left, right) if str(node.op) == "or" else left
    if Lines.NOT_BY_WORKER not in {left, right} and _meet_by_worker(node):
        return min(left, right)
    return left if str(node.op) == "and" else max(left, right)


def _meet_by_worker(node: promql.BinaryExpr) -> bool:
    matching = node.modifier.matching if node.modifier else None
    if matching is None:
        return True
    on = matching.type == promql.LabelModifierType.Include
    return bool(("worker" in matching.labels) == on)
