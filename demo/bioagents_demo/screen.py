"""Where the demo shows itself: a redrawn block on a terminal, lines anywhere else."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Callable
from os import terminal_size
from typing import Final, Protocol, TextIO

from bioagents_demo.table import clock, sentences, table
from bioagents_demo.view import View

_NOTES: Final = 8  # shown on a terminal
_PAUSE: Final = 5.0  # seconds between two lines of figures in a log


class Screen(Protocol):
    """What the demo tells people."""

    def note(self, elapsed: float, text: str) -> None:
        """Something happened."""

    def show(self, elapsed: float, view: View) -> None:
        """The figures of now."""


def screen(heading: list[str], stream: TextIO = sys.stdout) -> Screen:
    """The right one for ``stream``; ``heading`` are lines that say what there is to see and where."""
    return Terminal(heading, stream) if stream.isatty() else Log(heading, stream)


class Log:
    """Plain lines: the heading once, each note, and the figures every five seconds."""

    def __init__(self, heading: list[str], stream: TextIO) -> None:
        self._stream, self._next = stream, 0.0
        self._write(*heading)

    def note(self, elapsed: float, text: str) -> None:
        """Something happened."""
        self._write(f"{clock(elapsed)}  {text}")

    def show(self, elapsed: float, view: View) -> None:
        """The figures of now, if it is time for them."""
        if elapsed >= self._next:
            self._next = elapsed + _PAUSE
            self._write(*(f"{clock(elapsed)}  {sentence}" for sentence in sentences(view)))

    def _write(self, *lines: str) -> None:
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()


class Terminal:
    """One block that is drawn over itself: heading, table, the last notes."""

    def __init__(
        self, heading: list[str], stream: TextIO, size: Callable[[], terminal_size] = shutil.get_terminal_size
    ) -> None:
        self._heading, self._stream, self._size = heading, stream, size
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._drawn = 0  # lines of the block that is there

    def note(self, elapsed: float, text: str) -> None:
        """Something happened; it is shown with the next figures."""
        self._notes.append(f"{clock(elapsed)}  {text}")

    def show(self, elapsed: float, view: View) -> None:
        """Draw all anew."""
        now = f"{clock(elapsed)}  Ctrl-C stops all"
        lines = [*self._heading, "", now, "", *table(view), "", *self._notes]
        columns, rows = self._size()
        # What is higher than the terminal cannot be drawn over: the top scrolls away.
        lines = [line[: columns - 1] for line in lines[-max(1, rows - 1) :]]
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._stream.write(f"{back}\r\x1b[J" + "".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._drawn = len(lines)
