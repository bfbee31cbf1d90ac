"""``bioagents dashboards check`` against a stand-in for Grafana, written from its API's documentation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bioagents_cli.main import main
from bioagents_dashboards.shipped import SAVED_BY, shipped_boards
from support.grafana_stand_in import Board, GrafanaStandIn

from .conftest import refused, run

OLDER = f"{SAVED_BY}0123456789abcdef"
Ships = Callable[..., list[str]]


def test_after_a_push_all_are_current(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, a line for each board, and no request that changes anything."""
    run(capsys, "push")
    before = grafana.state.writes
    lines = run(capsys, "check").splitlines()
    assert [line.split()[0] for line in lines] == ["current"] * len(shipped_boards())
    assert grafana.state.writes == before


def test_each_way_to_differ(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Ships
) -> None:
    """Status 1, and the line says how."""
    ships("Fleet", "Queue", "Actor", "Old")
    run(capsys, "push")
    boards = grafana.state.boards
    boards["bioagents-queue"].messages[-1] = OLDER
    boards["bioagents-queue"].body = {**boards["bioagents-queue"].body, "refresh": "5s", "panels": []}
    grafana.edit("bioagents-actor")
    ships("Fleet", "Queue", "Actor", "Slo")
    lines = [line.replace(grafana.url, "") for line in run(capsys, "check", status=1).splitlines()]
    assert lines[0] == "current       'Fleet'  /d/bioagents-fleet"
    assert lines[1].startswith("outdated      'Queue'  /d/bioagents-queue  (")
    assert lines[2:] == [
        "edited        'Actor'  /d/bioagents-actor  (version 2 by alice, 1 difference)",
        "missing       'Slo'  /d/bioagents-slo",
        "left          'Old'  /d/bioagents-old  (no longer shipped; push --prune removes it)",
    ]


@pytest.mark.usefixtures("grafana")
def test_left_board_alone_is_no_difference(capsys: pytest.CaptureFixture[str], ships: Ships) -> None:
    """All that this version ships is there."""
    ships("Fleet", "Old")
    run(capsys, "push")
    ships("Fleet")
    assert "left          'Old'" in run(capsys, "check")


def test_what_is_asked_for_is_checked_too(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Ships
) -> None:
    """Folder, data source and address of the runbooks, where the flags name them."""
    ships("Fleet")
    grafana.state.sources.append({"uid": "abc", "name": "Prod", "type": "prometheus"})
    run(capsys, "push")
    for flags in (("--folder", "X"), ("--datasource", "Prod"), ("--runbook-url", "https://wiki.example.org")):
        assert run(capsys, "check", *flags, status=1).endswith("(1 difference)\n")
        run(capsys, "push", *flags)
        run(capsys, "check", *flags)
    run(capsys, "check")


def test_boards_from_files_are_compared_by_what_is_in_them(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Ships
) -> None:
    """Provisioning saves without a message; the line says that a file is to be replaced."""
    (uid,) = ships("Fleet")
    (board,) = shipped_boards()
    grafana.state.boards[uid] = Board(board, "", [""], provisioned=True)
    assert run(capsys, "check").endswith("(from a file)\n")
    ships("Fleet", refresh="1m")
    assert run(capsys, "check", status=1).endswith("(from a file, 1 difference)\n")


def test_a_board_that_grafana_wrote_in_another_form(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], ships: Ships
) -> None:
    """Its newest version is ours: a push leaves it, so a check calls it current."""
    (uid,) = ships("Fleet")
    run(capsys, "push")
    stored = grafana.state.boards[uid]
    stored.body = {**stored.body, "schemaVersion": 43}
    assert run(capsys, "push").startswith("unchanged ")
    assert run(capsys, "check").startswith("current ")


def test_bad_input_is_status_2(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """The same refusals as a push has."""
    assert "unknown data source 'nope'" in refused(capsys, "check", "--datasource", "nope")
    assert "unknown flag --overwrite" in refused(capsys, "check", "--overwrite")
    grafana.state.tokens.clear()
    assert "(401): the token is wrong or has expired" in refused(capsys, "check")


def test_help_names_every_action(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with an example, and each has a help of its own."""
    out = run(capsys, "--help")
    for action in ("push", "check", "export"):
        assert f"\n  bioagents dashboards {action} --" in out
        with pytest.raises(SystemExit):
            main(["dashboards", action, "--help"])
        assert f"usage: bioagents dashboards {action} [flags]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "no action given: expected push, check, export"),
        (("pusch",), "unknown action 'pusch' (did you mean push?): expected push, check, export"),
    ],
)
def test_unknown_action(argv: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, with what there is."""
    assert message in refused(capsys, *argv)
