"""``bioagents dashboards push`` against a stand-in for Grafana, written from its API's documentation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioagents_dashboards.push.survey import FIRST_GRAFANA
from bioagents_dashboards.shipped import SAVED_BY, shipped_boards
from support.grafana_stand_in import Board, GrafanaStandIn

from .conftest import refused, run

UID = "bioagents-fleet"
OLDER = f"{SAVED_BY}0123456789abcdef"
SEVEN = ("Fleet", "Queue", "Actor", "Workers", "Capacity", "Ground", "Slo")


def variable(body: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [it for it in body["templating"]["list"] if it["name"] == name]
    return dict(found)


def test_first_push_creates_folder_and_boards(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty Grafana has all boards after it, as they are shipped, in the default folder."""
    out = run(capsys, "push")
    stored, shipped = grafana.state.boards, {board["uid"]: board for board in shipped_boards()}
    assert {uid: board.body for uid, board in stored.items()} == {
        uid: {**board, "version": 0} for uid, board in shipped.items()
    }
    assert grafana.state.folders == {"bioagents-monitor": "BioAgents Monitor"}
    assert {board.folder for board in stored.values()} == {"bioagents-monitor"}
    folder = f"{grafana.url}/dashboards/f/bioagents-monitor"
    assert f"created       folder 'BioAgents Monitor'  {folder}\n" in out
    assert f"created       'Fleet overview'  {grafana.url}/d/{UID}\n" in out


def test_second_push_writes_nothing(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """Idempotent: not a single request that changes anything."""
    run(capsys, "push")
    before = grafana.state.writes
    out = run(capsys, "push")
    assert grafana.state.writes == before
    assert f"unchanged     'Fleet overview'  {grafana.url}/d/{UID}\n" in out


def test_many_boards(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """Seven boards come in once each; of a version that changes one, that one is written."""
    uids = ships(*SEVEN)
    run(capsys, "push")
    assert list(grafana.state.boards) == uids
    assert grafana.state.writes == 1 + len(uids)
    grafana.state.boards[uids[3]].messages[-1] = OLDER
    out = run(capsys, "push").splitlines()
    assert out[0].startswith("updated       'Workers'")
    assert [line.split()[0] for line in out[1:]] == ["unchanged"] * 6
    assert [board.version for board in grafana.state.boards.values()] == [1, 1, 1, 2, 1, 1, 1]


def test_board_of_another_version_is_updated_where_it_is(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """What another release pushed is replaced, in the folder to which a person moved it."""
    run(capsys, "push")
    grafana.state.folders["elsewhere"] = "Elsewhere"
    stored = grafana.state.boards[UID]
    stored.messages[-1], stored.body["title"], stored.folder = OLDER, "Old", "elsewhere"
    assert "updated       'Fleet overview'" in run(capsys, "push")
    assert grafana.state.boards[UID].body["title"] == "Fleet overview"
    assert grafana.state.boards[UID].folder == "elsewhere"


def test_same_board_of_another_version(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """One that only carries another version's mark is current, and gets ours with the next push."""
    (uid,) = ships("Fleet")
    run(capsys, "push")
    grafana.state.boards[uid].messages[-1] = OLDER
    assert run(capsys, "check").startswith("current       'Fleet'")
    assert run(capsys, "push", "--dry-run").endswith("(nothing that shows)\n")
    assert run(capsys, "push").startswith("updated       'Fleet'")
    assert run(capsys, "push").startswith("unchanged     'Fleet'")


@pytest.mark.parametrize("plain", [True, False])
def test_board_edited_by_a_person_is_left_alone(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], *, plain: bool
) -> None:
    """Refused before anything is written, in both forms of the versions' answer; --overwrite replaces it."""
    grafana.state.plain_versions = plain
    run(capsys, "push")
    grafana.edit(UID)
    before = grafana.state.writes
    for flags in ((), ("--dry-run",), ("--prune",)):
        assert "'Fleet overview' (version 2 by alice); nothing was changed" in refused(capsys, "push", *flags)
    assert grafana.state.writes == before
    run(capsys, "push", "--overwrite")
    assert grafana.state.boards[UID].version == 3
    assert "unchanged" in run(capsys, "push")


def test_all_edited_boards_are_named_at_once(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """One refusal names them all, and none of the others is written."""
    uids = ships(*SEVEN)
    run(capsys, "push")
    for uid in uids[2:]:
        grafana.state.boards[uid].messages[-1] = OLDER
    for uid in uids[:2]:
        grafana.edit(uid, "bob")
    before = grafana.state.writes
    assert "'Fleet' (version 2 by bob), 'Queue' (version 2 by bob); nothing" in refused(capsys, "push")
    assert grafana.state.writes == before


def test_same_board_by_somebody_else_is_adopted(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """A board that is what we would save loses nothing; it is saved once, so that later pushes know it."""
    run(capsys, "push")
    grafana.state.boards[UID].messages[-1] = "imported by Terraform"
    assert "current       'Fleet overview'" in run(capsys, "check")
    assert "would adopt   'Fleet overview'" in run(capsys, "push", "--dry-run")
    assert "adopted       'Fleet overview'" in run(capsys, "push")
    assert "unchanged     'Fleet overview'" in run(capsys, "push")


def test_named_folder_moves_boards(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """``--folder`` takes a title or a uid, makes a missing one, and boards elsewhere move there."""
    run(capsys, "push")
    assert "created       folder 'On call'" in run(capsys, "push", "--folder", "On call")
    uid = grafana.state.boards[UID].folder
    assert grafana.state.folders[uid] == "On call"
    before = grafana.state.writes
    run(capsys, "push", "--folder", uid)
    run(capsys, "push", "--folder", "On call")
    grafana.state.folders[uid] = "Renamed"
    run(capsys, "push", "--folder", "On call")
    run(capsys, "push", "--folder", "Renamed")
    assert grafana.state.writes == before


def test_folder_inside_another(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """Its uid is enough; a title is looked for at the root, on every page of the list."""
    grafana.state.nested["deep"] = "Deep"
    run(capsys, "push", "--folder", "deep")
    assert grafana.state.boards[UID].folder == "deep"
    grafana.state.folders.update({f"f{number}": f"Folder {number}" for number in range(1001)})
    run(capsys, "push", "--folder", "Folder 1000")
    assert grafana.state.boards[UID].folder == "f1000"
    grafana.state.folders["twin"] = "Folder 1"
    assert "2 folders have the title 'Folder 1'" in refused(capsys, "push", "--folder", "Folder 1")


def test_data_source_is_chosen_by_name_or_uid_and_stays(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """The board's variable starts with it, whatever Grafana's default is; later pushes keep it."""
    grafana.state.sources.append({"uid": "abc", "name": "Prod / EU", "type": "prometheus"})
    for name in ("abc", "Prod / EU"):
        run(capsys, "push", "--datasource", name)
    assert grafana.state.boards[UID].version == 1
    grafana.state.boards[UID].messages[-1] = OLDER
    run(capsys, "push")
    current = {"selected": True, "text": "Prod / EU", "value": "abc"}
    assert variable(grafana.state.boards[UID].body, "datasource")["current"] == current


def test_runbooks_address_is_chosen_and_stays(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text variable holds it without a slash at its end; later pushes keep it."""
    run(capsys, "push")
    run(capsys, "push", "--runbook-url", "https://wiki.example.org/runbooks/")
    before = grafana.state.writes
    run(capsys, "push")
    run(capsys, "push", "--runbook-url", "https://wiki.example.org/runbooks")
    assert grafana.state.writes == before
    found = variable(grafana.state.boards[UID].body, "runbooks")
    assert found["query"] == found["current"]["value"] == "https://wiki.example.org/runbooks"


def test_new_board_opens_as_the_others(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """A board that a later version brings has the data source and the runbooks of those that are there."""
    grafana.state.sources.append({"uid": "abc", "name": "Prod", "type": "prometheus"})
    ships("Fleet")
    run(capsys, "push", "--datasource", "abc", "--runbook-url", "https://wiki.example.org")
    _, new = ships("Fleet", "Queue")
    run(capsys, "push")
    body = grafana.state.boards[new].body
    assert variable(body, "datasource")["current"]["value"] == "abc"
    assert variable(body, "runbooks")["query"] == "https://wiki.example.org"


def test_prune_removes_only_what_we_own_and_ship_no_more(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """No person's copy, nothing that a person edited, no file's board; without the flag it is only named."""
    ships("Fleet", "Old", "Edited", "Filed")
    run(capsys, "push")
    boards = grafana.state.boards
    boards["copy"] = Board({**boards["bioagents-old"].body, "uid": "copy"}, "bioagents-monitor", [""])
    boards["theirs"] = Board({"title": "Old", "tags": []}, "bioagents-monitor", [OLDER])
    boards["bioagents-filed"].provisioned = True
    grafana.edit("bioagents-edited")
    ships("Fleet")
    out = run(capsys, "push")
    assert "left          'Old'" in out
    assert "would remove  'Old'" in run(capsys, "push", "--prune", "--dry-run")
    assert "bioagents-old" in boards
    out = run(capsys, "push", "--prune")
    assert f"removed       'Old'  {grafana.url}/d/bioagents-old  (no longer shipped)\n" in out
    assert list(boards) == ["bioagents-fleet", "bioagents-edited", "bioagents-filed", "copy", "theirs"]
    assert "'Old'" not in run(capsys, "push", "--prune")


def test_grafana_below_a_path(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``serve_from_sub_path``: the address may have a path, with and without a slash at its end."""
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    with GrafanaStandIn(path="/grafana") as server:
        for url in (server.url, f"{server.url}/"):
            run(capsys, "push", "--grafana.url", url)
        assert all(line.split()[1].startswith("/grafana/api/") for line in server.state.requests)


def test_token_from_a_file(
    grafana: GrafanaStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file wins over the environment, white space around its token does not matter."""
    monkeypatch.setenv("GRAFANA_TOKEN", "wrong")
    (tmp_path / "token").write_text("editor\n")
    run(capsys, "push", "--grafana.token-file", str(tmp_path / "token"))
    assert UID in grafana.state.boards


def test_every_schema_version_that_ships_is_known() -> None:
    """A board of a newer schema needs a Grafana version that was looked up."""
    assert {board["schemaVersion"] for board in shipped_boards()} <= FIRST_GRAFANA.keys()
