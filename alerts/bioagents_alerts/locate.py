"""Where the shipped files are: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def rules_folder() -> Path:
    """The folder with the rule files, ``*.yml``."""
    return _beside("rules")


def alertmanager_file() -> Path:
    """The minimal Alertmanager configuration."""
    return _beside("alertmanager.yml")


def _beside(name: str) -> Path:
    packaged = _PACKAGE / name
    return packaged if packaged.exists() else _PACKAGE.parent / name
