"""What an installation chooses in its boards: the data source, and where the runbooks are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.push.boards import Board

#: The variables that hold the two choices.
SOURCE: Final = "datasource"
RUNBOOKS: Final = "runbooks"

_EXPECTED: Final = "expected http(s)://host[:port][/path] under which the runbooks are read"


@dataclass(frozen=True, slots=True)
class Source:
    """A data source."""

    uid: str
    name: str
    kind: str = "prometheus"


@dataclass(frozen=True, slots=True)
class Choices:
    """None: nothing chosen, the board is as it ships."""

    source: Source | None = None
    runbooks: str | None = None

    def over(self, other: Choices) -> Choices:
        """These, and where nothing is chosen the other ones."""
        return Choices(self.source or other.source, self.runbooks or other.runbooks)


def chosen(board: Board) -> Choices:
    """What is chosen in a board, whoever chose it."""
    source = _variable(board, SOURCE).get("current") or {}
    runbooks = _variable(board, RUNBOOKS).get("query")
    known = isinstance(source.get("value"), str) and source["value"]
    return Choices(
        Source(source["value"], str(source.get("text") or source["value"])) if known else None,
        runbooks if isinstance(runbooks, str) and runbooks else None,
    )


def with_choices(board: Board, choices: Choices) -> Board:
    """A copy of the board that opens with them."""
    copy: Board = json.loads(json.dumps(board))
    if choices.source:
        _variable(copy, SOURCE)["current"] = _selected(choices.source.name, choices.source.uid)
    if choices.runbooks:
        current = _selected(choices.runbooks, choices.runbooks)
        _variable(copy, RUNBOOKS).update(query=choices.runbooks, current=current)
    return copy


def runbook_address(text: str) -> str:
    """Without a slash at its end; UsageError for what is no address of a page, or carries a password."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise UsageError(f"--runbook-url is no address: {_EXPECTED}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"--runbook-url carries a user name or password: {_EXPECTED}")
    # Grafana puts the name of an alert behind it, and would take ${...} for a variable.
    if not usable or parts.query or parts.fragment or any(c.isspace() or c in "{}$\"'<>\\`" for c in text):
        raise UsageError(f"--runbook-url is {text!r}: {_EXPECTED}")
    return text.rstrip("/")


def _selected(text: str, value: str) -> dict[str, Any]:
    return {"selected": True, "text": text, "value": value}


def _variable(board: Board, name: str) -> dict[str, Any]:
    # A board that a person made may have no variables at all.
    variables = board.get("templating", {}).get("list", [])
    return next((variable for variable in variables if variable.get("name") == name), {})
