"""Bad input to ``bioagents dashboards push``: one line, status 2, and nothing changed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bioagents_dashboards.push import http
from bioagents_dashboards.shipped import shipped_boards
from support.grafana_stand_in import Board, GrafanaStandIn
from support.programs import self_signed

from .conftest import refused, run

UID = "bioagents-fleet"


def test_unfit_data_source(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown one and one of another kind: named, nothing written."""
    grafana.state.sources.append({"uid": "loki", "name": "Logs", "type": "loki"})
    assert "unknown data source 'nope'" in refused(capsys, "push", "--datasource", "nope")
    line = refused(capsys, "push", "--datasource", "Logs")
    assert "of type 'loki': expected a prometheus one" in line
    assert grafana.state.writes == 0


def test_wrong_token(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 says what is expected and does not repeat the token."""
    monkeypatch.setenv("GRAFANA_TOKEN", "planted-secret")
    line = refused(capsys, "push")
    assert "(401): the token is wrong or has expired" in line
    assert "planted-secret" not in line
    assert grafana.state.writes == 0


def test_missing_permission_leaves_nothing(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """403 names the role that is needed."""
    monkeypatch.setenv("GRAFANA_TOKEN", "viewer")
    assert "(403): the token has no permission for this: expected" in refused(capsys, "push")
    assert grafana.state.folders == {}


def test_board_that_the_token_may_not_save(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """Grafana says so with the board: refused before the others are written."""
    uids = ships("Fleet", "Queue")
    run(capsys, "push")
    before = grafana.state.writes
    grafana.state.boards[uids[1]].writable = False
    ships("Fleet", "Queue", refresh="1m")
    assert "the token may not save 'Queue'; nothing was changed" in refused(capsys, "push")
    assert grafana.state.writes == before


def test_folder_in_which_the_token_may_not_save(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """Refused before the first change, if a board would come into it; what is in it stays as it is."""
    ships("Fleet", "Queue")
    grafana.state.folders["ops"], grafana.state.closed = "Ops", {"ops"}
    assert "the token may not save in the folder 'Ops'" in refused(capsys, "push", "--folder", "Ops")
    assert grafana.state.writes == 0
    grafana.state.closed = set()
    run(capsys, "push", "--folder", "Ops")
    grafana.state.closed = {"ops"}
    run(capsys, "push", "--folder", "Ops")


def test_leftover_that_the_token_may_not_remove(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Callable[..., list[str]]
) -> None:
    """Refused before the first change, where it was to be removed."""
    uids = ships("Fleet", "Queue")
    run(capsys, "push")
    ships("Fleet", refresh="1m")
    grafana.state.boards[uids[1]].removable = False
    before = grafana.state.writes
    assert "the token may not remove 'Queue'; nothing was changed" in refused(capsys, "push", "--prune")
    assert grafana.state.writes == before
    run(capsys, "push")
    assert uids[1] in grafana.state.boards


def test_provisioned_board(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A board from a file on Grafana's disk cannot be saved, not even with --overwrite."""
    (board,) = [board for board in shipped_boards() if board["uid"] == UID]
    grafana.state.boards[UID] = Board(board, "", [""], provisioned=True)
    for flags in ((), ("--overwrite",)):
        assert "from a file on Grafana's disk" in refused(capsys, "push", *flags)
    assert grafana.state.writes == 0


@pytest.mark.parametrize("hides", [True, False])
@pytest.mark.parametrize("version", ["12.1.9", "11.6.0-pre", "9.5.2"])
def test_grafana_that_is_too_old(
    grafana: GrafanaStandIn,
    capsys: pytest.CaptureFixture[str],
    ships: Callable[..., list[str]],
    version: str,
    *,
    hides: bool,
) -> None:
    """Refused with both versions, also where Grafana reports its own only to users who are signed in."""
    ships("Fleet", "Queue", "Actor")
    grafana.state.version, grafana.state.hides_version = version, hides
    line = refused(capsys, "push")
    assert f"Grafana {version} at {grafana.url} is too old for 'Fleet' and 2 more: " in line
    assert "expected Grafana 12.2 or newer, which knows schema version 42" in line
    assert grafana.state.writes == 0


@pytest.mark.parametrize("version", ["12.2.0-18093", "12.10.1", "13.0.0", "", "main"])
def test_grafana_that_is_new_enough(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    """A newer one takes them, and one whose version cannot be read is tried."""
    grafana.state.version = version
    run(capsys, "push")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:3000", "--grafana.url is '127.0.0.1:3000': expected http(s)://"),
        ("http://", "--grafana.url is 'http://': expected http(s)://"),
        ("http://h:99999", "--grafana.url is not a valid address: expected http(s)://"),
        ("http://a..b", "--grafana.url is not a valid address: expected http(s)://"),
        (f"http://{'a' * 80}", "--grafana.url is not a valid address: expected http(s)://"),
        ("http://h/?token=planted", "--grafana.url has something after its path 'http://h/': expected"),
        ("http://u:planted@h", "--grafana.url contains a user name or password"),
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://nowhere.invalid", "no answer from http://nowhere.invalid about its health"),
    ],
)
def test_wrong_address(
    url: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names the address, never a password in it."""
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    line = refused(capsys, "push", "--grafana.url", url)
    assert message in line
    assert "planted" not in line


def test_address_of_something_else(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """Another path, another server's page, another server's JSON: all are called no Grafana."""
    foreign = "answers, but is not a Grafana server: expected the address before /api"
    assert foreign in refused(capsys, "push", "--grafana.url", f"{grafana.url}/elsewhere")
    grafana.state.page = "<!doctype html><title>Prometheus</title>"
    assert foreign in refused(capsys, "push")
    grafana.state.page = ""
    for answer in ({"status": "up"}, [], "up", None):
        grafana.state.refuses = {"GET /health": (200, answer)}
        assert foreign in refused(capsys, "push")


def test_answer_in_another_form(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A health like Grafana's does not help a server that is none."""
    for path, answer in (("/folders", [1]), (f"/uid/{UID}", {"dashboard": {}}), ("/search", {"a": 1})):
        grafana.state.refuses = {f"GET {path}": (200, answer)}
        assert "is not a Grafana server" in refused(capsys, "push")
    assert grafana.state.writes == 0


def test_address_that_sends_elsewhere(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A redirected POST would arrive as a GET; the line names the other address, without its query."""
    grafana.state.redirects_to = "https://login.example.org/login?state=planted"
    line = refused(capsys, "push")
    assert "redirects (301) to 'https://login.example.org/login': expected the address" in line
    assert "planted" not in line
    assert grafana.state.requests == ["GET /api/health"]


def test_grafana_that_fails(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A 5xx is named with what Grafana says, or with nothing of a proxy's page."""
    grafana.state.refuses = {"GET /health": (503, {"database": "failing", "message": "no database"})}
    assert "failed at its health (503): no database" in refused(capsys, "push")
    grafana.state.refuses = {"GET /health": (502, "<html>bad gateway</html>")}
    assert "failed at its health (502): no reason given" in refused(capsys, "push")


def test_silence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that takes the request and never answers ends with a line as well."""
    monkeypatch.setattr(http, "TIMEOUT", 0.2)
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert f"no answer from {url} about its health: " in refused(capsys, "push", "--grafana.url", url)


def test_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not trusted is refused, with what helps; with its authority all works."""
    monkeypatch.setenv("GRAFANA_TOKEN", "editor")
    made = self_signed(tmp_path)
    with GrafanaStandIn(certificate=made) as server:
        argv = ("push", "--grafana.url", server.url)
        line = refused(capsys, *argv)
        assert f"no TLS with {server.url}: " in line
        assert "self-signed certificate" in line
        assert "--grafana.ca-file" in line
        assert server.state.requests == []
        run(capsys, *argv, "--grafana.ca-file", str(made.certificate))
        assert UID in server.state.boards


def test_tls_with_a_server_that_has_none(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong scheme is a line too."""
    url = grafana.url.replace("http:", "https:")
    assert f"no TLS with {url}: " in refused(capsys, "push", "--grafana.url", url)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_unusable_authority(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None) -> None:
    """A file that is missing or holds no certificate is named."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    (tmp_path / "token").write_text("editor")
    line = refused(
        capsys, "push", "--grafana.url", "https://h", "--grafana.token-file", str(tmp_path / "token"),
        "--grafana.ca-file", str(path),
    )  # fmt: skip
    reason = "No such file or directory" if content is None else "no certificate in it"
    assert f"--grafana.ca-file '{path}': {reason}; expected a file with certificates (PEM)" in line


@pytest.mark.parametrize(
    "url",
    ["wiki", "ftp://h", "http://", "http://h:99999", "http://h/?a", "http://h/${x}", "http://h/a b", ""],
)
def test_unfit_runbook_address(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Refused before Grafana is asked."""
    assert "--runbook-url is " in refused(capsys, "push", "--runbook-url", url)
    assert grafana.state.requests == []


def test_password_in_the_runbook_address(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be shown to everyone who sees a board, and is not repeated."""
    line = refused(capsys, "push", "--runbook-url", "https://me:planted@wiki.example.org")
    assert "--runbook-url contains a user name or password" in line
    assert "planted" not in line
    assert grafana.state.requests == []


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
    assert message in refused(capsys, "push", *argv)


def test_empty_folder_name(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A title of white space is none."""
    assert "--folder is empty" in refused(capsys, "push", "--folder", " ")
    assert grafana.state.writes == 0
