"""Where the boards' JSON stands: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def boards_folder() -> Path:
    """The folder with one ``*.json`` for each board."""
    packaged = _PACKAGE / "json"
    return packaged if packaged.exists() else _PACKAGE.parent / "json"
