"""``push --dry-run`` says what would change, and changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from bioagents_dashboards.push.changes import changes
from bioagents_dashboards.shipped import SAVED_BY, BoardJson, shipped_boards
from support.grafana_stand_in import GrafanaStandIn

from .conftest import run

UID = "bioagents-fleet"


@pytest.fixture
def board(ships: Callable[..., list[str]]) -> BoardJson:
    """The one board of a version."""
    ships("Fleet")
    return shipped_boards()[0]


def test_dry_run_of_a_first_push(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the folder and every board, with its size, and writes nothing."""
    out = run(capsys, "push", "--dry-run")
    assert grafana.state.writes == 0
    assert "would create  folder 'BioAgents Monitor'" in out
    assert f"would create  'Fleet overview'  {grafana.url}/d/{UID}  (" in out


def test_dry_run_of_an_update(
    grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str], board: BoardJson
) -> None:
    """Below each board the output lists its changes."""
    run(capsys, "push")
    stored, before = grafana.state.boards[UID], grafana.state.writes
    stored.messages[-1] = f"{SAVED_BY}0123456789abcdef"
    stored.body["panels"] = [{"title": "Gone", "type": "graph"}, *copy.deepcopy(board["panels"])[1:]]
    stored.body["panels"][-1]["targets"] = []
    stored.body["templating"] = {"list": [{"name": "pod"}, *board["templating"]["list"][:-2]]}
    grafana.state.sources.append({"uid": "abc", "name": "Prod", "type": "prometheus"})
    lines = run(capsys, "push", "--dry-run", "--datasource", "abc", "--folder", "On call").splitlines()
    _, head, *below = lines
    assert head == f"would update  'Fleet'  {grafana.url}/d/{UID}"
    assert below == [
        f"  panel added: {board['panels'][0]['title']!r}",
        "  panel removed: 'Gone'",
        f"  panel changed: {board['panels'][-1]['title']!r} (queries)",
        f"  variable added: {board['templating']['list'][-2]['name']!r}",
        f"  variable added: {board['templating']['list'][-1]['name']!r}",
        "  variable removed: 'pod'",
        "  data source: Grafana's default → 'Prod'",
        "  runbooks: Grafana's default → 'http://127.0.0.1:9877/runbooks'",
        "  folder: 'BioAgents Monitor' → 'On call'",
    ]
    assert grafana.state.writes == before


def test_same_board_has_no_changes(board: BoardJson) -> None:
    """Nor has one where Grafana set what it sets itself."""
    other = copy.deepcopy(board)
    other.update(id=7, version=12)
    for panel in other["panels"]:
        panel["pluginVersion"] = "12.2.0"
    assert changes(other, board) == []


def test_numbers_of_panels(board: BoardJson) -> None:
    """Links to a panel have them; they are named where nothing else changed."""
    other = copy.deepcopy(board)
    for panel in other["panels"]:
        panel["id"] += 1
    assert changes(other, board) == ["dashboard: numbers of panels"]
    assert changes({**other, "title": "Old"}, board) == ["dashboard: title"]


def test_panels_in_a_folded_row_are_compared(board: BoardJson) -> None:
    """In the JSON they are inside the row."""
    row = {"type": "row", "title": "Row", "collapsed": True, "panels": [{"title": "Inner", "type": "stat"}]}
    before = {**board, "panels": [row]}
    after = {**board, "panels": [{**row, "panels": [{"title": "Inner", "type": "table"}]}]}
    assert changes(before, after) == ["panel changed: 'Inner' (type)"]


def test_panels_with_one_title_are_told_apart(board: BoardJson) -> None:
    """A person's board may have several of one title, or without any."""
    one, two = {"title": "A", "type": "stat"}, {"title": "A", "type": "table"}
    assert changes({**board, "panels": [one, two]}, {**board, "panels": [one]}) == ["panel removed: 'A #2'"]
    nameless = {**board, "panels": [{"type": "text"}]}
    assert changes(nameless, {**board, "panels": []}) == ["panel removed: 'without a title, a text'"]


def test_what_is_around_the_panels_is_named(board: BoardJson) -> None:
    """Title, time range and the like, in words."""
    other = {**board, "title": "Old", "time": {"from": "now-1h", "to": "now"}, "tags": []}
    assert changes(other, board) == ["dashboard: tags, time range, title"]


def test_board_of_another_form_is_compared_too(board: BoardJson) -> None:
    """One that a person turned into something without panels and variables."""
    assert (
        changes({"title": "X"}, {**board, "panels": [{"title": "A", "type": "stat"}]})[0]
        == "panel added: 'A'"
    )
