"""Tables: each column with its query or label, unit, colours and links in one place.

Columns of values are as wide as their heads and numbers need; those of labels share what is left. Grafana
cuts a head off that does not fit, and scrolls where the columns together are too wide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from math import ceil
from string import ascii_uppercase
from typing import Any, Final

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models import dashboard as model

from bioagents_boards import text
from bioagents_boards.panels import Panel, Target, dataquery, one_moment
from bioagents_boards.queries import VARIABLES, unnamed
from bioagents_boards.style import CLEAR, NOT_JUDGED, Thresholds, ValueMapping

_SELECTOR: Final = re.compile(r"[\w:]+\{[^{}]*\}( offset \w+)?")

#: The unit of the table, which its columns need not repeat.
_PLAIN: Final = "short"

#: Pixels around a text in a cell or a head, and of the arrow of the column that sorts a table.
_CELL: Final = 17
_ARROW: Final = 20

#: A wide number of each unit.
_WIDEST: Final = {"short": "0.0944", "s": "12.8 hours", "percentunit": "1655%", "bytes": "64.1 MiB"}

#: A cell without a value.
NOTHING: Final = "–"

Link = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Column:
    """What label and value columns have in common; widths in pixels, 0: as the text needs."""

    name: str
    _: KW_ONLY
    thresholds: Thresholds | None = None
    mappings: Sequence[ValueMapping] = ()
    links: Sequence[Link] = ()
    width: int = 0


@dataclass(frozen=True, slots=True)
class Label(_Column):
    """A label of the series, as text: ``123`` too. Without a ``width`` it takes its part of what is left."""

    label: str = ""


@dataclass(frozen=True, slots=True)
class Value(_Column):
    """The value of a query; without a ``name`` its labels join the line and the value is hidden."""

    query: str = ""
    unit: str = _PLAIN
    whole: bool = False  # without decimals


@dataclass(frozen=True, slots=True)
class Table(Panel):
    """A line for each set of labels, joined over the queries of all columns.

    ``hide`` names the labels that no column shows, besides those that every table hides.
    """

    columns: Sequence[Label | Value]
    _: KW_ONLY
    empty: str
    sort: str = ""
    highest_first: bool = True
    hide: Sequence[str] = ()
    width: int = 24
    height: int = 8

    def draw(self) -> table.Panel:
        """Merged frames, organised and named columns, sorted lines."""
        panel = table.Panel().span(self.width).height(self.height)
        one_moment(panel.thresholds(NOT_JUDGED.plain()).min_width(60))
        # The text for an empty table is not that of an empty cell.
        panel.override_by_regexp("/.*/", [model.DynamicConfigValue("noValue", NOTHING)])
        for ref, value in zip(ascii_uppercase, self._values(), strict=False):
            panel.with_target(dataquery(ref, Target(_nameless(value.query)), as_table=True))
        for column in self.columns:
            if column.name:
                panel.override_by_name(column.name, _properties(column, head=self._head(column)))
        panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
        panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=self._organized()))
        if self.sort:
            order = common.TableSortByFieldState().display_name(self.sort).desc(desc=self.highest_first)
            panel.sort_by([order])
        return self._describe(panel, _PLAIN, self.empty)

    def _head(self, column: _Column) -> int:
        """Pixels that the head of a column needs, with the arrow of the one that sorts the table."""
        return ceil(text.width(column.name)) + _CELL + _ARROW * (column.name == self.sort)

    def _values(self) -> list[Value]:
        return [column for column in self.columns if isinstance(column, Value)]

    def _organized(self) -> dict[str, Any]:
        values = self._values()
        sources = ["Value"] if len(values) == 1 else [f"Value #{ref}" for ref in ascii_uppercase]
        of_values = iter(sources)
        names = {
            (column.label if isinstance(column, Label) else next(of_values)): column.name
            for column in self.columns
        }
        shown = {source: name for source, name in names.items() if name}
        hidden = ["Time", "job", "__name__", *self.hide, *(names.keys() - shown.keys())]
        return {
            "excludeByName": dict.fromkeys(hidden, True),
            "indexByName": {source: place for place, source in enumerate(shown)},
            "renameByName": shown,
        }


def _nameless(expression: str) -> str:
    """A selector alone without its name, which differs between columns and would keep their lines apart."""
    return unnamed(expression) if _SELECTOR.fullmatch(expression) else expression


def _properties(column: Label | Value, *, head: int) -> list[model.DynamicConfigValue]:
    """Grafana's overrides for one column; ``head``: the pixels that its name needs."""
    unit = column.unit if isinstance(column, Value) else "string"
    found: dict[str, Any] = {} if unit == _PLAIN else {"unit": unit}
    if isinstance(column, Value) and column.whole:
        found["decimals"] = 0
    if column.thresholds is not None:
        found["thresholds"] = column.thresholds.or_unknown(CLEAR).build().to_json()
        found["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    if column.mappings:
        found["mappings"] = [mapping.to_json() for mapping in column.mappings]
    if column.links:
        found["links"] = list(column.links)
    if isinstance(column, Value):
        found["custom.width"] = max(column.width, head, _cell(column))
    else:
        found["custom.width" if column.width else "custom.minWidth"] = max(column.width, head)
    return [model.DynamicConfigValue(name, value) for name, value in found.items()]


def _cell(column: Value) -> int:
    """Pixels that the widest text of a column of values needs."""
    replaced = (result.text or "" for mapping in column.mappings for result in _results(mapping))
    return ceil(max(map(text.width, (_WIDEST[column.unit], *replaced)))) + _CELL


def _results(mapping: ValueMapping) -> list[model.ValueMappingResult]:
    if isinstance(mapping, model.ValueMap):
        return list(mapping.options.values())
    return [mapping.options.result]


def link(title: str, board: str, **chosen: str) -> Link:
    """A link to the board with this uid: all variables as they are here, but the ``chosen`` ones.

    ``chosen`` names a variable and the column, by its shown name, whose value it takes: ``queue="Queue"``.
    """
    kept = [
        f"${{{name}:queryparam}}" for name in ("datasource", *VARIABLES, "runbooks") if name not in chosen
    ]
    taken = [f'var-{name}=${{__data.fields["{column}"]:percentencode}}' for name, column in chosen.items()]
    return {"title": title, "url": f"/d/{board}?{'&'.join([*kept, *taken])}&${{__url_time_range}}"}


def runbook(column: str) -> Link:
    """A link to the page of the alert that a column names."""
    url = f'${{runbooks:raw}}/${{__data.fields["{column}"]}}'
    return {"title": "Runbook", "url": url, "targetBlank": True}
