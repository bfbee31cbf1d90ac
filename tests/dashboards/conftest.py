"""A stand-in for Grafana, and boards of other versions of ours, for the tests of push and check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bioagents_cli.main import main
from bioagents_dashboards import shipped
from support.grafana_stand_in import GrafanaStandIn


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrafanaStandIn]:
    """A stand-in that the environment points at, with a token that may write."""
    with GrafanaStandIn() as server:
        monkeypatch.setenv("GRAFANA_URL", server.url)
        monkeypatch.setenv("GRAFANA_TOKEN", "editor")
        yield server


@pytest.fixture
def ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """From here on, a version with boards of these titles; their uids."""
    model = json.loads((shipped.boards_folder() / "fleet-overview.json").read_text())

    def ship(*titles: str, **changed: object) -> list[str]:
        folder = tmp_path / "boards"
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for number, title in enumerate(titles):
            board = {**model, "title": title, "uid": f"bioagents-{title.lower()}", **changed}
            (folder / f"{number:02}.json").write_text(json.dumps(board))
        monkeypatch.setattr(shipped, "boards_folder", lambda: folder)
        return [f"bioagents-{title.lower()}" for title in titles]

    return ship


def run(capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> str:
    """The output of ``bioagents dashboards`` with this status; it writes nothing to standard error."""
    capsys.readouterr()
    assert main(["dashboards", *argv]) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *argv: str, done: str = "") -> str:
    """The one line of a run that ends with status 2, after it printed that something is ``done``."""
    capsys.readouterr()
    assert main(["dashboards", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" if not done else done in out
    assert err.count("\n") == 1
    assert err.startswith("bioagents dashboards: ")
    return err
