"""No title and no head of a column is cut off on a screen of 1,280 pixels, and no table is wider than that.

Grafana shows a text that does not fit up to the last letter that does: "Time to drair".
"""

from __future__ import annotations

from typing import Final

import pytest

from bioagents_boards import text
from support.boards import Json, boards, hold, panels

#: The pixels of a board on such a screen, of the gap between two panels, and of the grid's columns.
SCREEN: Final = 1280 - 2 * 16
GAP, COLUMNS = 8, 24
#: Left and right of a panel's title: the padding, and the icon with the description.
TITLE: Final = 16 + 48
#: The border of a panel and the scroll bar of a table.
EDGE: Final = 10
#: Around the head of a column; the arrow in the one that sorts.
HEAD, ARROW = 13, 18
#: What a label has at least: "dramatiq" and a part of a long name.
LABEL: Final = 75

PANELS = [panel for board in boards().values() for panel in panels(board)]
TABLES = [panel for panel in PANELS if panel["type"] == "table"]


def pixels(panel: Json) -> float:
    """The width of a panel."""
    return float(panel["gridPos"]["w"] * (SCREEN + GAP) / COLUMNS - GAP)


def test_titles_fit() -> None:
    """Of each panel, next to the icon that shows its description."""

    def check(panel: Json) -> None:
        assert text.width(panel["title"]) + TITLE <= pixels(panel)

    hold(PANELS, check)


def columns(table: Json) -> dict[str, float]:
    """The shown columns and their pixels, as Grafana shares them out."""
    (options,) = [t["options"] for t in table["transformations"] if t["id"] == "organize"]
    found = {name: widths(table, name) for name in options["renameByName"].values()}
    fixed = sum(width for width, _ in found.values())
    shares = sum(not width for width, _ in found.values())
    left = (pixels(table) - EDGE - fixed) / max(shares, 1)
    return {name: width or max(least, left) for name, (width, least) in found.items()}


def widths(table: Json, name: str) -> tuple[float, float]:
    """The fixed width of a column, 0 where it has none, and the least one."""
    own = {
        changed["id"]: changed["value"]
        for override in table["fieldConfig"]["overrides"]
        if override["matcher"] == {"id": "byName", "options": name}
        for changed in override["properties"]
    }
    return own.get("custom.width", 0), own.get("custom.minWidth", LABEL)


def test_heads_of_columns_fit() -> None:
    """With the arrow of the column that sorts."""

    def check(table: Json) -> None:
        sorting = {order["displayName"] for order in table["options"].get("sortBy", [])}
        cut = {
            name: width
            for name, width in columns(table).items()
            if width < text.width(name) + HEAD + ARROW * (name in sorting)
        }
        assert cut == {}

    hold(TABLES, check)


def test_tables_fit() -> None:
    """No table scrolls sideways, and its labels have room for a name."""

    def check(table: Json) -> None:
        shown = columns(table)
        assert sum(shown.values()) <= pixels(table) - EDGE + 1, shown
        assert all(width >= LABEL for name, width in shown.items() if not widths(table, name)[0]), shown

    hold(TABLES, check)


@pytest.mark.parametrize(
    ("written", "measured"),
    [
        ("Time to drain", 89.7),
        ("Held by draining workers", 170.8),
        ("Success burn rate over 6 h and 30 min", 263.7),
    ],
)
def test_widths_of_texts_are_those_of_the_font(written: str, measured: float) -> None:
    """Within two pixels of what a browser measured, Inter 14 px of medium weight."""
    assert text.width(written) == pytest.approx(measured, abs=2)
