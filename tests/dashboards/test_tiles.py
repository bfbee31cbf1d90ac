"""A number that is one of several says which: the queue, the actor, the host, the worker, the alert."""

from __future__ import annotations

import re

import promql_parser as promql

from bioagents_alerts.promql import COPIES
from support.boards import Json, boards, hold, panels

#: One of so many copies or of two wire versions is no name that helps anyone.
NO_NAMES = {*COPIES, "wire"}
TILES = [panel for board in boards().values() for panel in panels(board) if panel["type"] == "stat"]


def chosen(panel: Json) -> list[promql.AggregateExpr]:
    """The parts of a tile's query that each choose one of several series."""
    expression = panel["targets"][0]["expr"].replace("$__rate_interval", "1m")
    parts, found = [promql.parse(expression)], []
    while parts:
        match part := parts.pop():
            case promql.BinaryExpr() if str(part.op) == "or":
                parts += [part.lhs, part.rhs]
            case promql.ParenExpr():
                parts.append(part.expr)
            case promql.AggregateExpr() if str(part.op) in {"min", "max", "topk", "bottomk"}:
                found.append(part)
    return found


def named(part: promql.AggregateExpr) -> set[str]:
    """The labels among whose values it chooses."""
    modifier = part.modifier
    return (
        set(modifier.labels) - NO_NAMES if modifier.type == promql.AggModifierType.Without else {"alertname"}
    )


def test_a_worst_value_keeps_its_name() -> None:
    """It is chosen by topk or bottomk: max and min drop the label that says which it is."""

    def check(panel: Json) -> None:
        for part in chosen(panel):
            assert str(part.op) in {"topk", "bottomk"} or not named(part), part

    hold(TILES, check)


def test_a_worst_value_shows_its_name() -> None:
    """With the number, not only where several fleets make Grafana write names."""

    def check(panel: Json) -> None:
        legend = panel["targets"][0]["legendFormat"]
        shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
        wanted = set().union(*map(named, chosen(panel)))
        if wanted:
            assert panel["options"]["textMode"] == "value_and_name"
            assert shown & {"queue", "host", "source", "alertname"} & (wanted | {"alertname"})

    hold(TILES, check)


def test_some_tiles_show_a_worst_value() -> None:
    """The tests above look at something, and know it from a sum."""
    worst = {panel["title"] for panel in TILES if any(map(named, chosen(panel)))}
    assert {"Wait limit used", "Highest load", "Firing since", "Top host memory"} <= worst
    assert not {"Waiting jobs", "Idle slots", "Redis"} & worst
