"""A push that breaks off: lost connections, other writers, late refusals. The exact state is reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bioagents_dashboards.shipped import SAVED_BY, message, shipped_boards
from support.grafana_stand_in import Board, GrafanaStandIn, Loss

from .conftest import refused, run

UID = "bioagents-a"
OLDER = f"{SAVED_BY}0123456789abcdef"
NAMES = ("A", "B", "C", "D", "E", "F", "G")
SAVE = "POST /dashboards/db"

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def seven(ships: Callable[..., list[str]]) -> list[str]:
    """A version with seven boards; their uids."""
    return ships(*NAMES)


def all_is_well(grafana: GrafanaStandIn, capsys: Capsys, uids: list[str]) -> None:
    """One more run ends with each board there once, in one folder, as it ships."""
    run(capsys, "push")
    run(capsys, "check")
    assert sorted(grafana.state.boards) == uids
    assert list(grafana.state.folders.values()) == ["BioAgents Monitor"]


def test_lost_request(grafana: GrafanaStandIn, capsys: Capsys, seven: list[str]) -> None:
    """Grafana is asked again, and the line says what is done and what is not."""
    grafana.state.loss = Loss(SAVE, "request", after=2)
    line = refused(capsys, "push", done="created       'B'")
    assert "about dashboard 'C': " in line
    assert "; done: folder 'BioAgents Monitor', 'A', 'B'; not done: 'C', 'D', 'E', 'F', 'G'; run the" in line
    assert list(grafana.state.boards) == seven[:2]
    all_is_well(grafana, capsys, seven)


@pytest.mark.parametrize("after", [0, 3, 6])
def test_lost_reply(grafana: GrafanaStandIn, capsys: Capsys, seven: list[str], after: int) -> None:
    """Grafana is asked again, has the board, and the push goes on: nothing is saved twice."""
    grafana.state.loss = Loss(SAVE, "reply", after=after)
    run(capsys, "push")
    assert [board.version for board in grafana.state.boards.values()] == [1] * 7
    all_is_well(grafana, capsys, seven)


@pytest.mark.parametrize(("part", "there"), [("request", 3), ("reply", 4)])
def test_grafana_goes_away_in_a_save(
    grafana: GrafanaStandIn, capsys: Capsys, seven: list[str], part: str, there: int
) -> None:
    """What is not known is reported as not known."""
    grafana.state.loss = Loss(SAVE, part, after=3, for_good=True)
    line = refused(capsys, "push", done="created       'C'")
    done = "done: folder 'BioAgents Monitor', 'A', 'B', 'C'; not known: 'D'; not done: 'E', 'F', 'G'"
    assert f"; {done}; run the command again" in line
    assert list(grafana.state.boards) == seven[:there]
    grafana.state.loss = None
    all_is_well(grafana, capsys, seven)


@pytest.mark.parametrize("part", ["request", "reply"])
def test_lost_while_the_folder_is_made(
    grafana: GrafanaStandIn, capsys: Capsys, seven: list[str], part: str
) -> None:
    """The folder's uid is known before it is made, so there is one in the end."""
    grafana.state.loss = Loss("POST /folders", part)
    if part == "request":
        assert "; nothing was changed" in refused(capsys, "push")
        assert grafana.state.boards == {}
    else:
        run(capsys, "push")
    all_is_well(grafana, capsys, seven)


@pytest.mark.parametrize(
    "request_",
    ["GET /health", "GET /folders", "GET /uid/bioagents-d", "GET /bioagents-g/versions", "GET /search"],
)
def test_lost_while_it_reads(
    grafana: GrafanaStandIn, capsys: Capsys, seven: list[str], request_: str
) -> None:
    """All is read before anything is written."""
    run(capsys, "push")
    before = grafana.state.writes
    for uid in seven:
        grafana.state.boards[uid].messages[-1] = OLDER
    grafana.state.loss = Loss(request_, "reply")
    assert f"no answer from {grafana.url} about " in refused(capsys, "push")
    assert grafana.state.writes == before
    all_is_well(grafana, capsys, seven)


@pytest.mark.parametrize("part", ["request", "reply"])
def test_lost_while_it_prunes(
    grafana: GrafanaStandIn, capsys: Capsys, ships: Callable[..., list[str]], part: str
) -> None:
    """A lost request removes nothing and a lost reply is noticed as done; a further run completes it."""
    ships("A", "Old")
    run(capsys, "push")
    ships("A")
    grafana.state.loss = Loss("DELETE /uid/bioagents-old", part)
    if part == "request":
        assert "; nothing was changed" in refused(capsys, "push", "--prune")
    else:
        assert "removed       'Old'" in run(capsys, "push", "--prune")
    run(capsys, "push", "--prune")
    assert list(grafana.state.boards) == ["bioagents-a"]


def test_board_that_is_gone_already_counts_as_removed(
    grafana: GrafanaStandIn, capsys: Capsys, ships: Callable[..., list[str]]
) -> None:
    """404 for what was to be removed is what was wanted."""
    ships("A", "Old")
    run(capsys, "push")
    ships("A", refresh="1m")
    grafana.state.before[SAVE] = lambda: grafana.state.boards.pop("bioagents-old")
    assert "removed       'Old'" in run(capsys, "push", "--prune")


@pytest.mark.parametrize("flags", [(), ("--overwrite",)])
def test_edit_during_the_push_is_a_conflict(
    grafana: GrafanaStandIn, capsys: Capsys, seven: list[str], flags: tuple[str, ...]
) -> None:
    """Grafana itself refuses (412) what changed since we read it, also where edits are to be overwritten."""
    run(capsys, "push")
    grafana.state.boards[UID].messages[-1] = OLDER
    grafana.state.before[SAVE] = lambda: grafana.edit(UID)
    line = refused(capsys, "push", *flags)
    assert "dashboard 'A' (412): The dashboard has been changed by someone else; nothing was changed" in line
    assert grafana.state.boards[UID].body["panels"][-1]["title"] == "Mine"
    assert "'A' (version 2 by alice)" in refused(capsys, "push")
    run(capsys, "push", "--overwrite")
    all_is_well(grafana, capsys, seven)


def test_conflict_after_some_saves(grafana: GrafanaStandIn, capsys: Capsys, seven: list[str]) -> None:
    """What was saved before stays, and is reported."""
    run(capsys, "push")
    for uid in seven:
        grafana.state.boards[uid].messages[-1] = OLDER
    grafana.state.before[SAVE] = lambda: grafana.edit("bioagents-c")
    line = refused(capsys, "push", done="updated       'B'")
    assert (
        "(412): The dashboard has been changed by someone else; done: 'A', 'B'; not done: 'C', 'D'," in line
    )


def test_two_runs_at_once(grafana: GrafanaStandIn, capsys: Capsys, seven: list[str]) -> None:
    """The other run made the folder and saved the same board: that is what was wanted."""
    shipped = shipped_boards()[0]
    by_the_other = Board({**shipped, "version": 0}, "bioagents-monitor", [message(shipped)])
    grafana.state.before[SAVE] = lambda: grafana.state.boards.update({UID: by_the_other})
    run(capsys, "push")
    assert grafana.state.boards[UID] is by_the_other
    all_is_well(grafana, capsys, seven)


def test_folder_that_another_run_makes(grafana: GrafanaStandIn, capsys: Capsys, seven: list[str]) -> None:
    """409 for a folder that is there by now is no error."""
    made = {"bioagents-monitor": "BioAgents Monitor"}
    grafana.state.before["POST /folders"] = lambda: grafana.state.folders.update(made)
    run(capsys, "push")
    all_is_well(grafana, capsys, seven)


@pytest.mark.usefixtures("seven")
def test_folder_made_for_nothing_goes_again(grafana: GrafanaStandIn, capsys: Capsys) -> None:
    """A board that Grafana refuses at the last moment leaves no empty folder behind."""
    grafana.state.refuses = {SAVE: (403, {"message": "no"})}
    line = refused(capsys, "push", done="removed       folder")
    assert "dashboard 'A' (403): the token has no permission for this" in line
    assert line.endswith("; nothing was changed\n")
    assert grafana.state.folders == {}


@pytest.mark.usefixtures("seven")
def test_folder_that_another_run_made_stays(grafana: GrafanaStandIn, capsys: Capsys) -> None:
    """Deleting a folder deletes what is in it: only an unused one of this run is deleted."""
    made = {"bioagents-monitor": "BioAgents Monitor"}
    grafana.state.before["POST /folders"] = lambda: grafana.state.folders.update(made)
    grafana.state.refuses = {SAVE: (403, {"message": "no"})}
    refused(capsys, "push", done="created       folder")
    assert grafana.state.folders == made


@pytest.mark.usefixtures("seven")
def test_folder_that_somebody_uses_by_now_stays(grafana: GrafanaStandIn, capsys: Capsys) -> None:
    """A board that a person put there a moment ago is not deleted with it."""
    theirs = Board({"title": "Theirs", "uid": "theirs"}, "bioagents-monitor", ["manually"])
    grafana.state.before[SAVE] = lambda: grafana.state.boards.update({"theirs": theirs})
    grafana.state.refuses = {SAVE: (403, {"message": "no"})}
    refused(capsys, "push", done="created       folder")
    assert "bioagents-monitor" in grafana.state.folders


@pytest.mark.usefixtures("seven")
def test_folder_that_cannot_go_again_is_told(grafana: GrafanaStandIn, capsys: Capsys) -> None:
    """Without the permission to remove folders it stays, and the line says so."""
    grafana.state.refuses = {
        SAVE: (400, {"message": "bad"}),
        "DELETE /folders/bioagents-monitor": (403, {"message": "no"}),
    }
    line = refused(capsys, "push", done="created       folder")
    assert "'A' (400): bad; done: folder 'BioAgents Monitor'; not done: 'A', 'B'," in line


@pytest.mark.usefixtures("seven")
def test_title_that_is_taken(grafana: GrafanaStandIn, capsys: Capsys) -> None:
    """412 with ``name-exists`` says what Grafana says."""
    said = {"status": "name-exists", "message": "A dashboard with the same name in the folder already exists"}
    grafana.state.refuses = {SAVE: (412, said)}
    line = refused(capsys, "push", done="created       folder")
    assert "(412): A dashboard with the same name in the folder already exists; nothing was changed" in line
    assert grafana.state.folders == {}
