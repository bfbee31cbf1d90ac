"""What to do with each board: a pure decision from what we have and what Grafana has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bioagents_cli.errors import UsageError
from bioagents_dashboards.push.grafana import Source, Stored

#: Begins the message of each version that we save; the digest of the board follows.
SAVED_BY: Final = "bioagents dashboards push "

Verb = Literal["create", "update", "keep"]
Board = dict[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One board and what happens to it."""

    verb: Verb
    board: Board
    version: int  # that Grafana has; 0: none
    folder: str | None  # uid to save it in; None: one that is yet to be made

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.board["title"])

    @property
    def uid(self) -> str:
        """What Grafana calls it."""
        return str(self.board["uid"])

    @property
    def message(self) -> str:
        """The message of the version that we save."""
        return SAVED_BY + digest(self.board)


def digest(board: Board) -> str:
    """Tells two boards apart by all that they contain."""
    text = json.dumps(board, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def with_source(board: Board, source: Source) -> Board:
    """The board with this data source chosen in its ``datasource`` variable."""
    copy: Board = json.loads(json.dumps(board))
    templating = copy["templating"]
    assert isinstance(templating, dict)  # noqa: S101 - our own JSON, for the type checker
    for variable in templating["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"selected": True, "text": source.name, "value": source.uid}
    return copy


def plan(
    boards: list[Board],
    stored: Mapping[str, Stored | None],
    *,
    folder: str | None,
    move: bool,
    overwrite: bool,
) -> list[Step]:
    """One step for each board; UsageError, naming all of them, where a person's work would be lost.

    ``folder`` is the uid of the folder for new boards (None: one that is yet to be made) and, where ``move``,
    for all of them; otherwise a board stays in the folder where it is.
    """
    if not overwrite:
        _refuse_edited(boards, stored)
    _refuse_provisioned(boards, stored)
    return [_step(board, stored[str(board["uid"])], folder, move=move) for board in boards]


def _step(board: Board, stored: Stored | None, folder: str | None, *, move: bool) -> Step:
    if stored is None:
        return Step("create", board, 0, folder)
    place = folder if move else stored.folder
    same = stored.message == SAVED_BY + digest(board) and stored.folder == place
    return Step("keep" if same else "update", board, stored.version, place)


def _refuse_edited(boards: list[Board], stored: Mapping[str, Stored | None]) -> None:
    found = [(board["title"], stored[str(board["uid"])]) for board in boards]
    edited = [f"{title!r} (version {have.version})" for title, have in found if have and _by_a_person(have)]
    if edited:
        raise UsageError(
            f"edited or imported by a person since our last push: {', '.join(edited)}; nothing was changed; "
            "save a copy of it under another name, then use --overwrite"
        )


def _by_a_person(have: Stored) -> bool:
    return not have.provisioned and not have.message.startswith(SAVED_BY)


def _refuse_provisioned(boards: list[Board], stored: Mapping[str, Stored | None]) -> None:
    fixed = [
        repr(board["title"]) for board in boards if (have := stored[str(board["uid"])]) and have.provisioned
    ]
    if fixed:
        raise UsageError(
            f"{', '.join(fixed)} comes from a file on Grafana's disk (provisioning); nothing was changed; "
            "replace that file instead"
        )
