"""The table of the demo as lines of text: pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

from bioagents_demo.view import COLUMNS, View

_NOT_SAID = "-"


def table(view: View) -> list[str]:
    """A heading and one line for each queue; what the exporter did not say is a dash."""
    if view.problem:
        return [f"nothing to show: {view.problem}"]
    rows = [["queue", *COLUMNS], *([queue, *_cells(view, queue)] for queue in view.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS) + 1)]
    return [_line(row, widths) for row in rows]


def sentences(view: View) -> Iterator[str]:
    """The same for a log: one line for each queue."""
    if view.problem:
        yield f"nothing to show: {view.problem}"
    for queue in view.rows:
        pairs = zip(COLUMNS, _cells(view, queue), strict=True)
        yield f"{queue}: " + ", ".join(f"{column} {cell}" for column, cell in pairs)


def clock(seconds: float) -> str:
    """``mm:ss``, minutes without an end."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def _cells(view: View, queue: str) -> list[str]:
    row = view.rows[queue]
    return [_number(row.get(column)) for column in COLUMNS]


def _number(value: float | None) -> str:
    if value is None:
        return _NOT_SAID
    return str(value) if isinf(value) else f"{value:.0f}"


def _line(row: list[str], widths: list[int]) -> str:
    first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([first.strip().ljust(widths[0]), *others])
