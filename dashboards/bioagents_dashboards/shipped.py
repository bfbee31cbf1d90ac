"""The boards of this version, and what an installation chooses in them: data source and runbooks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bioagents_alerts.promql import COPIES, written
from bioagents_cli.parsing import UsageError

#: A dashboard in Grafana's classic JSON, one of ours or any that a Grafana has.
BoardJson = dict[str, Any]

#: Begins the message of each version that a push saves; the digest of the board follows.
SAVED_BY: Final = "bioagents dashboards push "

#: The variables that hold the two choices.
SOURCE: Final = "datasource"
RUNBOOKS: Final = "runbooks"

_EXPECTED: Final = "expected http(s)://host[:port][/path] of the runbooks"

_PACKAGE: Final = Path(__file__).parent


def boards_folder() -> Path:
    """The folder with one ``*.json`` for each board: in the package in a wheel, next to it in a checkout."""
    packaged = _PACKAGE / "json"
    return packaged if packaged.exists() else _PACKAGE.parent / "json"


def shipped_boards() -> list[BoardJson]:
    """The boards of this version, by file name."""
    files = sorted(boards_folder().glob("*.json"))
    if not files:
        raise UsageError(f"no dashboard in {boards_folder()}: the installation is incomplete")
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def file_name(board: BoardJson) -> str:
    """The name of a board's file: its title in lower case with dashes."""
    return f"{board['title'].lower().replace(' ', '-')}.json"


def message(board: BoardJson) -> str:
    """With which a push saves a board: it differs for boards that differ in anything."""
    text = json.dumps(board, sort_keys=True, separators=(",", ":"))
    return SAVED_BY + hashlib.sha256(text.encode()).hexdigest()[:16]


def common_tags(boards: list[BoardJson]) -> list[str]:
    """The tags by which all of them are found."""
    return sorted(set.intersection(*(set(board["tags"]) for board in boards)))


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data source."""

    uid: str
    name: str
    kind: str = "prometheus"


@dataclass(frozen=True, slots=True)
class Choices:
    """The data source and runbook address chosen for a board; None keeps what the board ships with."""

    source: DataSource | None = None
    runbooks: str | None = None

    def over(self, other: Choices) -> Choices:
        """These, and where nothing is chosen the other ones."""
        return Choices(self.source or other.source, self.runbooks or other.runbooks)


def chosen(board: BoardJson) -> Choices:
    """The choices in a board, of a person or of a push."""
    source = _variable(board, SOURCE).get("current") or {}
    runbooks = _variable(board, RUNBOOKS).get("query")
    known = isinstance(source.get("value"), str) and source["value"]
    return Choices(
        DataSource(source["value"], str(source.get("text") or source["value"])) if known else None,
        runbooks if isinstance(runbooks, str) and runbooks else None,
    )


def with_choices(board: BoardJson, choices: Choices) -> BoardJson:
    """A copy of the board that opens with them."""
    copy: BoardJson = json.loads(json.dumps(board))
    if choices.source:
        _variable(copy, SOURCE)["current"] = _selected(choices.source.name, choices.source.uid)
    if choices.runbooks:
        current = _selected(choices.runbooks, choices.runbooks)
        _variable(copy, RUNBOOKS).update(query=choices.runbooks, current=current)
    return copy


def with_copies(board: BoardJson, labels: Sequence[str]) -> BoardJson:
    """A copy of the board whose queries drop these labels too, in which copies of an exporter differ."""
    dropped = ", ".join(COPIES)
    extended = ", ".join([dropped, *map(written, labels)])
    copy: BoardJson = json.loads(json.dumps(board).replace(dropped, json.dumps(extended)[1:-1]))
    return copy


def runbook_address(text: str) -> str:
    """Without a slash at its end; UsageError if it is not a valid address or contains a password."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise UsageError(f"--runbook-url is not a valid address: {_EXPECTED}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"--runbook-url contains a user name or password: {_EXPECTED}")
    # Grafana appends the name of an alert, and would take ${...} for a variable.
    if not usable or parts.query or parts.fragment or any(c.isspace() or c in "{}$\"'<>\\`" for c in text):
        raise UsageError(f"--runbook-url is {text!r}: {_EXPECTED}")
    return text.rstrip("/")


def _selected(text: str, value: str) -> dict[str, Any]:
    return {"selected": True, "text": text, "value": value}


def _variable(board: BoardJson, name: str) -> dict[str, Any]:
    # A board that a person made may have no variables at all.
    variables = board.get("templating", {}).get("list", [])
    return next((variable for variable in variables if variable.get("name") == name), {})
