"""What an error message says beside the error."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bioagents_exporter.settings.secret import masked


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """``; did you mean <the nearest known>?``, or nothing where none is near."""
    near = get_close_matches(given, list(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""


def shown(text: str, *, longest: int = 100) -> str:
    """A value in quotes, on one line, without secrets, cut where it is very long."""
    safe = masked(text) if "@" in text or "://" in text else text
    return repr(safe if len(safe) <= longest else safe[:longest] + "…")
