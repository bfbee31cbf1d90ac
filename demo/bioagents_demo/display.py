"""What the demo shows: figures of ``/metrics``, as a table on a terminal or as lines in a log."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from math import isinf
from os import terminal_size
from typing import Final, Protocol, TextIO
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

_DEPTH: Final = "bioagents_queue_depth"

#: Column → metric and the labels that select its series; the values of one queue are added up.
COLUMNS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "waiting": (_DEPTH, {"state": "waiting"}),
    "delayed": (_DEPTH, {"state": "delayed"}),
    "running": ("bioagents_queue_running_jobs", {}),
    "done": ("bioagents_jobs_succeeded_total", {}),
    "failed": ("bioagents_job_failures_total", {}),
    "retries": ("bioagents_job_retries_total", {}),
    "dead": (_DEPTH, {"state": "dead"}),
    "workers": ("bioagents_queue_workers", {}),
}

_NOTES: Final = 8  # shown on a terminal
_LOG_INTERVAL: Final = 5.0  # seconds between two lines of figures in a log


@dataclass(frozen=True, slots=True)
class Figures:
    """One scrape: queue → column → value. What the exporter did not publish is missing."""

    rows: Mapping[str, Mapping[str, float]]
    problem: str = ""  # why there is nothing to show


def scrape(url: str, *, timeout: float = 2.0) -> Figures:
    """Read ``url``; a server that does not answer is a ``problem``, not an exception."""
    try:
        with urlopen(url, timeout=timeout) as answer:  # noqa: S310 - the demo's own http address
            return parse(answer.read().decode())
    except (URLError, OSError, HTTPException, ValueError) as error:
        return Figures({}, f"{url}: {error}")


def parse(exposition: str) -> Figures:
    """The figures of an exposition; ValueError if it cannot be parsed."""
    rows: dict[str, dict[str, float]] = {}
    wanted = {metric for metric, _ in COLUMNS.values()}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            queue = sample.labels.get("queue")
            if queue is not None and sample.name in wanted:
                _add(rows.setdefault(queue, {}), sample.name, sample.labels, sample.value)
    return Figures(dict(sorted(rows.items())))


def _add(row: dict[str, float], name: str, labels: Mapping[str, str], value: float) -> None:
    for column, (metric, selected) in COLUMNS.items():
        if metric == name and all(labels.get(label) == text for label, text in selected.items()):
            row[column] = row.get(column, 0.0) + value


def table(figures: Figures) -> list[str]:
    """A heading and one line for each queue; a value that the exporter did not publish is a dash."""
    if figures.problem:
        return [f"nothing to show: {figures.problem}"]
    rows = [["queue", *COLUMNS], *([queue, *_cells(figures, queue)] for queue in figures.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS) + 1)]
    return [_line(row, widths) for row in rows]


def sentences(figures: Figures) -> Iterator[str]:
    """The same for a log: one line for each queue."""
    if figures.problem:
        yield f"nothing to show: {figures.problem}"
    for queue in figures.rows:
        pairs = zip(COLUMNS, _cells(figures, queue), strict=True)
        yield f"{queue}: " + ", ".join(f"{column} {cell}" for column, cell in pairs)


def clock(seconds: float) -> str:
    """``mm:ss``, without hours."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def _cells(figures: Figures, queue: str) -> list[str]:
    row = figures.rows[queue]
    return [_number(row.get(column)) for column in COLUMNS]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinf(value) else f"{value:.0f}"


def _line(row: list[str], widths: list[int]) -> str:
    first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([first.strip().ljust(widths[0]), *others])


class Display(Protocol):
    """Where the demo writes."""

    def note(self, elapsed: float, text: str) -> None:
        """Report an event."""

    def show(self, elapsed: float, figures: Figures) -> None:
        """Show the current figures."""


def display(heading: list[str], stream: TextIO = sys.stdout) -> Display:
    """A terminal or a log, as ``stream`` is; ``heading`` is shown first."""
    return Terminal(heading, stream) if stream.isatty() else Log(heading, stream)


class Log:
    """Plain lines: the heading once, each note, and the figures every five seconds."""

    def __init__(self, heading: list[str], stream: TextIO) -> None:
        self._stream, self._next = stream, 0.0
        self._write(*heading)

    def note(self, elapsed: float, text: str) -> None:
        """Report an event."""
        self._write(f"{clock(elapsed)}  {text}")

    def show(self, elapsed: float, figures: Figures) -> None:
        """Show the current figures, if it is time for them."""
        if elapsed >= self._next:
            self._next = elapsed + _LOG_INTERVAL
            self._write(*(f"{clock(elapsed)}  {sentence}" for sentence in sentences(figures)))

    def _write(self, *lines: str) -> None:
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()


class Terminal:
    """One block that is redrawn in place: heading, table, the last notes."""

    def __init__(
        self, heading: list[str], stream: TextIO, size: Callable[[], terminal_size] = shutil.get_terminal_size
    ) -> None:
        self._heading, self._stream, self._size = heading, stream, size
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._drawn = 0  # lines of the block on the screen

    def note(self, elapsed: float, text: str) -> None:
        """Report an event; it is drawn with the next figures."""
        self._notes.append(f"{clock(elapsed)}  {text}")

    def show(self, elapsed: float, figures: Figures) -> None:
        """Redraw the block."""
        now = f"{clock(elapsed)}  Ctrl-C stops all"
        lines = [*self._heading, "", now, "", *table(figures), "", *self._notes]
        columns, rows = self._size()
        # A block that is higher than the terminal cannot be redrawn: its top would scroll away.
        lines = [line[: columns - 1] for line in lines[-max(1, rows - 1) :]]
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._stream.write(f"{back}\r\x1b[J" + "".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._drawn = len(lines)
