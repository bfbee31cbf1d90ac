"""What differs between the board that Grafana has and the one that it would get, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bioagents_dashboards.shipped import RUNBOOKS, SOURCE, BoardJson, Choices, chosen

#: What Grafana itself sets, or what changes with a panel's place alone.
_NO_CHANGE: Final = {"id", "version", "uid", "pluginVersion"}

_WORDS: Final = {
    "targets": "queries",
    "query": "query",
    "gridPos": "place",
    "fieldConfig": "units, limits and colors",
    "datasource": "data source",
    "templating": "variables",
    "time": "time range",
    "schemaVersion": "schema version",
}

Parts = Mapping[str, dict[str, Any]]


def changes(before: BoardJson, after: BoardJson) -> list[str]:
    """One line for each thing that a person would notice; empty where the boards are the same."""
    found = [
        *_parts("panel", _panels(before), _panels(after)),
        *_parts("variable", _variables(before), _variables(after)),
        *_choices(chosen(before), chosen(after)),
        *_board(before, after),
    ]
    # They follow from panels that came and went, unless nothing else did.
    return found or (["dashboard: numbers of panels"] if _numbers(before) != _numbers(after) else [])


def _parts(what: str, before: Parts, after: Parts) -> Iterator[str]:
    yield from (f"{what} added: {name!r}" for name in after if name not in before)
    yield from (f"{what} removed: {name!r}" for name in before if name not in after)
    for name in after:
        if name in before and (keys := _differing(before[name], after[name])):
            yield f"{what} changed: {name!r} ({_named(keys)})"


def _panels(board: BoardJson) -> Parts:
    """By title; a person's board may have one twice."""
    found: dict[str, dict[str, Any]] = {}
    for panel in _flat(board.get("panels", [])):
        title = str(panel.get("title") or f"without a title, a {panel.get('type')}")
        number = sum(1 for name in found if name == title or name.startswith(f"{title} #")) + 1
        found[title if number == 1 else f"{title} #{number}"] = panel
    return found


def _flat(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The panels of a row that is folded up are inside it."""
    for panel in panels:
        yield {key: value for key, value in panel.items() if key != "panels"}
        yield from _flat(panel.get("panels") or [])


def _numbers(board: BoardJson) -> list[Any]:
    return [panel.get("id") for panel in _flat(board.get("panels", []))]


def _variables(board: BoardJson) -> Parts:
    """Without the values that are reported as choices."""
    found = {}
    for variable in board.get("templating", {}).get("list", []):
        name = str(variable.get("name"))
        reported = {SOURCE: {"current"}, RUNBOOKS: {"current", "query"}}.get(name, set())
        found[name] = {key: value for key, value in variable.items() if key not in reported}
    return found


def _choices(before: Choices, after: Choices) -> Iterator[str]:
    old, new = (choices.source.name if choices.source else None for choices in (before, after))
    if before.source != after.source:
        yield f"data source: {_shown(old)} → {_shown(new)}"
    if before.runbooks != after.runbooks:
        yield f"runbooks: {_shown(before.runbooks)} → {_shown(after.runbooks)}"


def _shown(value: str | None) -> str:
    return repr(value) if value else "Grafana's default"


def _board(before: BoardJson, after: BoardJson) -> Iterator[str]:
    if keys := _differing(before, after) - {"panels", "templating"}:
        yield f"dashboard: {_named(keys)}"


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    keys = (before.keys() | after.keys()) - _NO_CHANGE
    return {key for key in keys if before.get(key) != after.get(key)}


def _named(keys: set[str]) -> str:
    return ", ".join(sorted(_WORDS.get(key, key) for key in keys))
