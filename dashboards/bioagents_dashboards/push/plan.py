"""What to do with each board: a pure decision from what we have and what Grafana has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bioagents_dashboards.push.changes import changes
from bioagents_dashboards.push.grafana import Stored
from bioagents_dashboards.shipped import SAVED_BY, BoardJson, Choices, chosen, message, with_choices

#: ``adopt``: Grafana has the same board, but it was not saved by a push.
Verb = Literal["create", "update", "adopt", "keep"]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is there, or is yet to be made."""

    uid: str
    title: str
    exists: bool
    writable: bool = True  # with this token


@dataclass(frozen=True, slots=True)
class Step:
    """One board, what Grafana has in its place, and what happens to it."""

    verb: Verb
    board: BoardJson
    message: str
    stored: Stored | None
    folder: str  # uid to save it in
    changes: list[str]  # for people; of an update

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.board["title"])

    @property
    def uid(self) -> str:
        """What Grafana calls it."""
        return str(self.board["uid"])

    @property
    def version(self) -> int:
        """That Grafana has; 0: none."""
        return self.stored.version if self.stored else 0

    def enters(self, place: Place) -> bool:
        """Whether a board comes into this folder that is not in it."""
        return self.folder == place.uid and (self.stored is None or self.stored.folder != place.uid)

    @property
    def edited(self) -> bool:
        """Whether a person's work would be lost."""
        return self.verb == "update" and not _is_ours(self.stored)


def plan(
    boards: list[BoardJson],
    stored: Mapping[str, Stored | None],
    place: Place,
    *,
    move: bool,
    asked: Choices,
) -> list[Step]:
    """One step for each board.

    ``place`` is for new boards and, where ``move``, for all of them; otherwise a board stays where it is.
    What is not asked for stays as it is chosen in the board, and a new board takes it from the others.
    """
    inherited = Choices()
    for have in stored.values():
        inherited = inherited.over(chosen(have.body)) if have and _is_ours(have) else inherited
    return [
        _replacing(board, have, place, move=move, asked=asked)
        if (have := stored[board["uid"]])
        else _creating(board, place, asked.over(inherited))
        for board in boards
    ]


def _creating(board: BoardJson, place: Place, choices: Choices) -> Step:
    return Step("create", with_choices(board, choices), message(board), None, place.uid, [])


def _replacing(board: BoardJson, stored: Stored, place: Place, *, move: bool, asked: Choices) -> Step:
    mark = message(board)
    wanted = with_choices(board, asked.over(chosen(stored.body)))
    differs = changes(stored.body, wanted)
    folder = place.uid if move else stored.folder
    if folder != stored.folder:
        differs.append(f"folder: {stored.folder_title!r} → {place.title!r}")
    return Step(_verb(stored, wanted, folder, mark, differs), wanted, mark, stored, folder, differs)


def _verb(stored: Stored, wanted: BoardJson, folder: str, mark: str, differs: list[str]) -> Verb:
    # The mark is enough: Grafana may have rewritten the JSON since.
    as_chosen = folder == stored.folder and chosen(stored.body) == chosen(wanted)
    if stored.message == mark and as_chosen:
        return "keep"
    return "update" if differs or _is_ours(stored) else "adopt"


def _is_ours(stored: Stored | None) -> bool:
    return stored is not None and stored.message.startswith(SAVED_BY)


def version_of(stored: Stored) -> str:
    """Its number and who saved it."""
    by = f" by {stored.author}" if stored.author else ""
    return f"version {stored.version}{by}"
