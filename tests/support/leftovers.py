"""What a program left behind: processes that carry a mark in their environment, folders, ports."""

from __future__ import annotations

import psutil


def marked(mark: str) -> list[str]:
    """Command lines of the living processes that were born with ``mark`` as LEFTOVER_MARK.

    Children inherit it whatever group, session or parent they have.
    """
    return [" ".join(process.cmdline()) for process in psutil.process_iter() if _mark(process) == mark]


def _mark(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.environ().get("LEFTOVER_MARK")
    except psutil.Error:
        return None
