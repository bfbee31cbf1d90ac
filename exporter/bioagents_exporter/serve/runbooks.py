"""The runbooks, served where the alerts' links point: no internet is needed to read what to do."""

from __future__ import annotations

from pathlib import Path


def runbook(alert: str) -> str | None:
    """The page of one alert as Markdown; None where there is none."""
    pages = {path.stem: path for path in _folder().glob("*.md")}
    return pages[alert].read_text(encoding="utf-8") if alert in pages else None


def index() -> str:
    """Links to all of them beside it, as HTML; alerts have names that need no escaping."""
    names = sorted(path.stem for path in _folder().glob("*.md"))
    links = "".join(f'<li><a href="{name}">{name}</a></li>\n' for name in names)
    return f"<!doctype html>\n<title>Runbooks</title>\n<h1>Runbooks</h1>\n<ul>\n{links}</ul>\n"


def _folder() -> Path:
    """In the installed package, or in a checkout beside it."""
    packaged = Path(__file__).parents[1] / "runbooks"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs" / "runbooks"
