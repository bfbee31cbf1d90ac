"""Lines of the table, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.spread import Spread

HEADER = ("row", "figure", "ours", "against", "ratio (min–max)", "reach", "met")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. ``met`` is None if there is no target."""

    row: str
    figure: str
    ours: str
    against: str = ""
    ratio: Spread | None = None
    reach: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        ratio = self.ratio.range_text() if self.ratio else ""
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return (self.row, self.figure, self.ours, self.against, ratio, self.reach, met)


def table(results: Iterable[Result]) -> str:
    """Markdown, its columns aligned for a terminal."""
    lines = [HEADER, *(result.cells() for result in results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(cells, widths) for cells in (lines[0], rule, *lines[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
