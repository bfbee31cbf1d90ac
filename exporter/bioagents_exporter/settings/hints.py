"""How an error message shows the value that it is about."""

from __future__ import annotations

from typing import Final

from bioagents_exporter.settings.secret import masked

_LONGEST: Final = 100


def shown(text: str) -> str:
    """A value in quotes, on one line, without secrets, cut where it is very long."""
    safe = masked(text) if "@" in text or "://" in text else text
    return repr(safe if len(safe) <= _LONGEST else safe[:_LONGEST] + "…")
