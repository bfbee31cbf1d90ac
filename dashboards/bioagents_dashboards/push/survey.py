"""Everything that a push or a check reads from a Grafana, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass

from bioagents_dashboards.push.boards import SAVED_BY, Board, common_tags, shipped_boards
from bioagents_dashboards.push.choices import Choices, Source, runbook_address
from bioagents_dashboards.push.compatibility import require
from bioagents_dashboards.push.errors import GrafanaError, NotFound
from bioagents_dashboards.push.grafana import Grafana, Stored
from bioagents_dashboards.push.place import Place, find_place
from bioagents_dashboards.push.plan import Step, plan


@dataclass(frozen=True, slots=True)
class Target:
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


def survey(grafana: Grafana, target: Target) -> Survey:
    """Read it; UsageError or GrafanaError where the target is wrong or Grafana refuses."""
    runbooks = runbook_address(target.runbooks) if target.runbooks is not None else None
    boards = shipped_boards()
    require(grafana.check(), grafana.url, boards)
    asked = Choices(_source(grafana, target.source), runbooks)
    place = find_place(grafana, target.folder)
    stored = {board["uid"]: grafana.board(board["uid"]) for board in boards}
    steps = plan(boards, stored, place, move=target.folder is not None, asked=asked)
    return Survey(place, steps, _leftovers(grafana, boards))


def _source(grafana: Grafana, name: str | None) -> Source | None:
    if name is None:
        return None
    try:
        source = grafana.source(name)
    except NotFound as error:
        raise GrafanaError(
            f"unknown data source {name!r}: expected the uid or name of one of {grafana.url}"
        ) from error
    if source.kind != "prometheus":
        raise GrafanaError(f"data source {name!r} is of type {source.kind!r}: expected a prometheus one")
    return source


def _leftovers(grafana: Grafana, boards: list[Board]) -> list[Leftover]:
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
