"""What a program left behind: the processes that carry a mark in their environment."""

from __future__ import annotations

from collections.abc import Iterator

import psutil


def marked(mark: str) -> list[str]:
    """Command lines of the living processes that were born with ``mark`` as LEFTOVER_MARK.

    Children inherit it whatever group, session or parent they have.
    """
    return list(_marked(mark))


def _marked(mark: str) -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("LEFTOVER_MARK") == mark:
                yield " ".join(process.cmdline())
        except psutil.Error:  # it has ended meanwhile; a zombie counts as ended
            continue
