"""``bioagents dashboards push`` against a stand-in for Grafana, written from its API's documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bioagents_cli.main import main
from bioagents_dashboards.push.run import shipped_boards
from support.grafana_stand_in import Board, GrafanaStandIn

UID = "bioagents-fleet"
PUSH = ("dashboards", "push")


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrafanaStandIn]:
    """A stand-in that the environment points at, with a token that may write."""
    with GrafanaStandIn() as server:
        monkeypatch.setenv("GRAFANA_URL", server.url)
        monkeypatch.setenv("GRAFANA_TOKEN", "editor")
        yield server


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line of a push that ends with status 2."""
    assert main([*PUSH, *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("bioagents dashboards: ")
    return err


def test_first_push_creates_folder_and_boards(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty Grafana has all boards after it, as they are shipped, in the default folder."""
    assert main([*PUSH]) == 0
    stored = grafana.state.boards
    assert list(stored) == [board["uid"] for board in shipped_boards()]
    assert stored[UID].body == {**shipped_boards()[0], "version": 0}
    assert grafana.state.folders[stored[UID].folder] == "BioAgents Monitor"
    out = capsys.readouterr().out
    assert "created    folder 'BioAgents Monitor'\n" in out
    assert f"created    'Fleet overview'  {grafana.url}/d/{UID}\n" in out


def test_second_push_writes_nothing(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """Idempotent: not a single request that changes anything."""
    main([*PUSH])
    before = grafana.state.writes
    assert main([*PUSH]) == 0
    assert grafana.state.writes == before
    assert "unchanged  'Fleet overview'" in capsys.readouterr().out


def test_dry_run_writes_nothing(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what a real run would do."""
    assert main([*PUSH, "--dry-run"]) == 0
    assert grafana.state.writes == 0
    out = capsys.readouterr().out
    assert "would create    folder 'BioAgents Monitor'\n" in out
    assert "would create    'Fleet overview'" in out


def test_board_of_an_older_version_is_updated(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an earlier release pushed is replaced, in the folder to which a person moved it."""
    main([*PUSH])
    grafana.state.folders["elsewhere"] = "Elsewhere"
    stored = grafana.state.boards[UID]
    stored.messages[-1] = "bioagents dashboards push 0123456789abcdef"
    stored.body["title"], stored.folder = "Old", "elsewhere"
    assert main([*PUSH]) == 0
    assert grafana.state.boards[UID].body["title"] == "Fleet overview"
    assert grafana.state.boards[UID].folder == "elsewhere"
    assert "updated    'Fleet overview'" in capsys.readouterr().out


@pytest.mark.parametrize("plain", [True, False])
def test_board_edited_by_a_person_is_left_alone(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], *, plain: bool
) -> None:
    """Refused before anything is written, in both forms of the versions' answer; --overwrite replaces it."""
    grafana.state.plain_versions = plain
    main([*PUSH])
    grafana.edit(UID)
    before = grafana.state.writes
    capsys.readouterr()
    assert "'Fleet overview' (version 2)" in refused(capsys)
    assert grafana.state.writes == before
    assert main([*PUSH, "--overwrite"]) == 0
    assert grafana.state.boards[UID].version == 3
    assert main([*PUSH]) == 0


def test_edit_during_the_push_is_a_conflict(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grafana itself refuses (412) what changed between our reading and our writing."""
    main([*PUSH])
    grafana.state.boards[UID].messages[-1] = "bioagents dashboards push 0123456789abcdef"
    grafana.state.before_save = lambda: grafana.edit(UID)
    capsys.readouterr()
    line = refused(capsys)
    assert "(412): The dashboard has been changed by someone else; nothing was changed" in line


def test_named_folder_moves_boards(grafana: GrafanaStandIn) -> None:
    """``--folder`` takes a title or a uid, makes a missing one, and boards elsewhere move there."""
    main([*PUSH])
    assert main([*PUSH, "--folder", "On call"]) == 0
    uid = grafana.state.boards[UID].folder
    assert grafana.state.folders[uid] == "On call"
    before = grafana.state.writes
    assert main([*PUSH, "--folder", uid]) == 0
    assert grafana.state.writes == before


def test_data_source_is_chosen_by_name_or_uid(grafana: GrafanaStandIn) -> None:
    """The board's variable starts with that data source, whatever Grafana's default is."""
    grafana.state.sources.append({"uid": "abc", "name": "Prod / EU", "type": "prometheus"})
    for name in ("abc", "Prod / EU"):
        assert main([*PUSH, "--datasource", name]) == 0
    (variable,) = [
        v for v in grafana.state.boards[UID].body["templating"]["list"] if v["type"] == "datasource"
    ]
    assert variable["current"] == {"selected": True, "text": "Prod / EU", "value": "abc"}
    assert grafana.state.boards[UID].version == 1


def test_unfit_data_source_is_refused(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown one and one of another kind: named, nothing written."""
    grafana.state.sources.append({"uid": "loki", "name": "Logs", "type": "loki"})
    assert "unknown data source 'nope'" in refused(capsys, "--datasource", "nope")
    assert "of type 'loki': expected a prometheus one" in refused(capsys, "--datasource", "Logs")
    assert grafana.state.writes == 0


def test_wrong_token_is_refused(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 says what is expected and does not repeat the token."""
    monkeypatch.setenv("GRAFANA_TOKEN", "planted-secret")
    line = refused(capsys)
    assert "(401): the token is wrong or has expired" in line
    assert "planted-secret" not in line
    assert grafana.state.writes == 0


def test_missing_permission_leaves_nothing(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """403 names the role that is needed."""
    monkeypatch.setenv("GRAFANA_TOKEN", "viewer")
    assert "(403): the token has no permission for this: expected" in refused(capsys)
    assert grafana.state.folders == {}


def test_provisioned_board_is_refused(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A board from a file on Grafana's disk cannot be saved, not even with --overwrite."""
    grafana.state.boards[UID] = Board(shipped_boards()[0], "", [""], provisioned=True)
    for flags in ((), ("--overwrite",)):
        assert "comes from a file on Grafana's disk" in refused(capsys, *flags)


def test_folder_made_for_nothing_goes_again(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """A board that Grafana refuses at the last moment leaves no empty folder behind."""
    appears = Board(shipped_boards()[0], "", [""], provisioned=True)
    grafana.state.before_save = lambda: grafana.state.boards.update({UID: appears})
    assert "(400): Cannot save provisioned dashboard; nothing was changed" in refused(capsys)
    assert grafana.state.folders == {}


@pytest.mark.parametrize("lost", ["request", "reply"])
def test_lost_connection_heals_with_the_next_run(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    """Whether it was saved is not known, which the line says; a second run ends with the board there once."""
    grafana.state.lose = lost
    assert "whether it was saved is not known: run the command again" in refused(capsys)
    assert main([*PUSH]) == 0
    assert grafana.state.boards[UID].version == 1
    assert list(grafana.state.folders.values()) == ["BioAgents Monitor"]


def test_grafana_below_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """``serve_from_sub_path``: the address may have a path, with and without a slash at its end."""
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    with GrafanaStandIn(path="/grafana") as server:
        for url in (server.url, f"{server.url}/"):
            assert main([*PUSH, "--grafana.url", url]) == 0
        assert all(line.split()[1].startswith("/grafana/api/") for line in server.state.requests)


def test_token_from_a_file(grafana: GrafanaStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file wins over the environment, white space around its token does not matter."""
    monkeypatch.setenv("GRAFANA_TOKEN", "wrong")
    (tmp_path / "token").write_text("editor\n")
    assert main([*PUSH, "--grafana.token-file", str(tmp_path / "token")]) == 0
    assert UID in grafana.state.boards


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:3000", "--grafana.url is '127.0.0.1:3000': expected http(s)://"),
        ("http://", "--grafana.url is 'http://': expected http(s)://"),
        ("http://h:99999", "--grafana.url is no address: expected http(s)://"),
        ("http://u:planted@h", "--grafana.url carries a user name or password"),
        ("http://127.0.0.1:1", "Connection refused"),
    ],
)
def test_wrong_address(
    url: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names the address, never a password in it."""
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    line = refused(capsys, "--grafana.url", url)
    assert message in line
    assert "planted" not in line


def test_address_of_something_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is no Grafana is called so."""
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    with GrafanaStandIn() as server:
        assert "refused its health" in refused(capsys, "--grafana.url", f"{server.url}/elsewhere")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "no Grafana: expected its address in --grafana.url or $GRAFANA_URL"),
        (("--grafana.url", "http://h"), "no token: expected a service account token"),
        (("--grafana.url", "http://h", "--grafana.token-file", "/nowhere"), "'/nowhere': No such file"),
        (("--overwite",), "unknown flag --overwite (did you mean --overwrite?)"),
    ],
)
def test_missing_input(
    argv: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each missing thing is named, with where to put it."""
    monkeypatch.delenv("GRAFANA_URL", raising=False)
    monkeypatch.delenv("GRAFANA_TOKEN", raising=False)
    assert message in refused(capsys, *argv)
