"""Everything that a push or a check reads from a Grafana, before anything is decided."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.push.grafana import Folder, Grafana, Stored
from bioagents_dashboards.push.http import GrafanaError, NotFound
from bioagents_dashboards.push.plan import Place, Step, plan
from bioagents_dashboards.shipped import (
    SAVED_BY,
    BoardJson,
    Choices,
    DataSource,
    common_tags,
    runbook_address,
    shipped_boards,
)

#: Where new boards go when no folder is named.
DEFAULT_TITLE: Final = "BioAgents Monitor"
DEFAULT_UID: Final = "bioagents-monitor"

#: Schema version of a dashboard → the first Grafana that knows it. 42 is the last of the classic schema; it
#: came with github.com/grafana/grafana/pull/106857: boards out of 12.1 carry 41, out of 12.2 they carry 42.
#: An older Grafana stores unknown fields without an error, and may draw the board incorrectly.
FIRST_GRAFANA: Final = {42: (12, 2)}


@dataclass(frozen=True, slots=True)
class Requested:
    """How the boards are to be; None: as they are there, or as they ship."""

    folder: str | None = None  # title or uid
    source: str | None = None  # uid or name
    runbooks: str | None = None  # address


@dataclass(frozen=True, slots=True)
class Leftover:
    """A board that we saved and that this version ships no more."""

    uid: str
    title: str
    removable: bool  # with this token


@dataclass(frozen=True, slots=True)
class Survey:
    """What is there and what would have to happen."""

    place: Place
    steps: list[Step]
    leftovers: list[Leftover]

    @property
    def makes_folder(self) -> bool:
        """Whether a board goes to a folder that is not there."""
        return not self.place.exists and any(step.folder == self.place.uid for step in self.steps)


def survey(grafana: Grafana, target: Requested) -> Survey:
    """Read it; UsageError or GrafanaError where the target is wrong or Grafana refuses."""
    runbooks = runbook_address(target.runbooks) if target.runbooks is not None else None
    boards = shipped_boards()
    require(grafana.check(), grafana.url, boards)
    asked = Choices(_source(grafana, target.source), runbooks)
    place = find_place(grafana, target.folder)
    stored = {board["uid"]: grafana.board(board["uid"]) for board in boards}
    steps = plan(boards, stored, place, move=target.folder is not None, asked=asked)
    return Survey(place, steps, _leftovers(grafana, boards))


def _source(grafana: Grafana, name: str | None) -> DataSource | None:
    if name is None:
        return None
    try:
        source = grafana.source(name)
    except NotFound as error:
        raise GrafanaError(
            f"unknown data source {name!r}: expected the uid or name of a data source in {grafana.url}"
        ) from error
    if source.kind != "prometheus":
        raise GrafanaError(f"data source {name!r} is of type {source.kind!r}: expected a prometheus one")
    return source


def _leftovers(grafana: Grafana, boards: list[BoardJson]) -> list[Leftover]:
    shipped = {board["uid"] for board in boards}
    others = [uid for uid in grafana.tagged(common_tags(boards)) if uid not in shipped]
    found = [(uid, grafana.board(uid)) for uid in sorted(others)]
    return [
        Leftover(uid, str(have.body.get("title") or uid), have.removable)
        for uid, have in found
        if have and _is_only_ours(have)
    ]


def _is_only_ours(have: Stored) -> bool:
    """The newest version is by us: a person's copy has no such message, and an edited board another one."""
    return have.message.startswith(SAVED_BY) and not have.provisioned


def require(grafana: str, url: str, boards: list[BoardJson]) -> None:
    """GrafanaError where a board is too new for this version of Grafana; an unknown version passes."""
    found = re.match(r"(\d+)\.(\d+)", grafana)
    if found is None:
        return
    have = int(found[1]), int(found[2])
    new = [board for board in boards if have < FIRST_GRAFANA.get(int(board["schemaVersion"]), (0, 0))]
    if new:
        schema = max(int(board["schemaVersion"]) for board in new)
        first = ".".join(map(str, FIRST_GRAFANA[schema]))
        more = f" and {len(new) - 1} more" if len(new) > 1 else ""
        raise GrafanaError(
            f"Grafana {grafana} at {url} is too old for {new[0]['title']!r}{more}: "
            f"expected Grafana {first} or newer, which knows schema version {schema} of dashboards"
        )


def find_place(grafana: Grafana, name: str | None) -> Place:
    """The folder with this uid (at any depth) or this title (at the root), else one to be made.

    A folder that we made and a person renamed since is found again by its uid.
    """
    wanted = DEFAULT_TITLE if name is None else name.strip()
    if not wanted:
        raise UsageError("--folder is empty: expected the title or uid of a folder")
    if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", wanted) and (folder := grafana.folder(wanted)):
        return _there(wanted, folder)
    found = [uid for uid, title in grafana.folders().items() if title == wanted]
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} folders have the title {wanted!r}: expected the uid of one of them in --folder"
        )
    uid = found[0] if found else _uid(wanted)
    folder = grafana.folder(uid)
    return _there(uid, folder) if folder else Place(uid, wanted, exists=False)


def _there(uid: str, folder: Folder) -> Place:
    return Place(uid, folder.title, exists=True, writable=folder.writable)


def _uid(title: str) -> str:
    """The same for the same title on every run, so that two runs at once make one folder."""
    if title == DEFAULT_TITLE:
        return DEFAULT_UID
    return f"bioagents-{hashlib.sha256(title.encode()).hexdigest()[:16]}"
