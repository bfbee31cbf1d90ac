"""What holds for every committed board: Grafana takes it, each panel explains itself."""

from __future__ import annotations

import json
import re
from itertools import combinations

import pytest

from bioagents_dashboards.drawing.choices import CHOICES
from support.boards import Json, boards, panels

COMMITTED = boards()
ALL_PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, board in COMMITTED.items()
    for panel in panels(board)
]


@pytest.mark.parametrize("board", COMMITTED.values(), ids=COMMITTED)
def test_board_is_classic_json_for_provisioning(board: Json) -> None:
    """The final classic schema, no database id, no version, no inputs that only the import screen fills."""
    assert board["schemaVersion"] == 42
    assert board["id"] is None
    assert not {"version", "gnetId", "iteration", "__inputs", "__requires"} & set(board)
    assert 0 < len(board["uid"]) <= 40


def test_uids_and_titles_are_unique() -> None:
    """One duplicate title freezes a whole provider of Grafana."""
    for key in ("uid", "title"):
        values = [board[key] for board in COMMITTED.values()]
        assert len(set(values)) == len(values)


def test_uids_are_stable() -> None:
    """A changed uid breaks every link and makes a second board: renaming one is a breaking change."""
    assert {name: board["uid"] for name, board in COMMITTED.items()} == {
        "fleet-overview.json": "bioagents-fleet",
        "queue.json": "bioagents-queue",
        "actor.json": "bioagents-actor",
        "workers.json": "bioagents-workers",
        "capacity.json": "bioagents-capacity",
        "slo.json": "bioagents-slo",
        "redis-and-exporter.json": "bioagents-ground",
    }


@pytest.mark.parametrize("board", COMMITTED.values(), ids=COMMITTED)
def test_panels_are_unique_and_do_not_overlap(board: Json) -> None:
    """Ids and titles are unique; each cell belongs to one panel; nothing is wider than the grid."""
    everything = board["panels"]
    for key in ("id", "title"):
        values = [panel[key] for panel in everything]
        assert len(set(values)) == len(values)
    places = [panel["gridPos"] for panel in everything]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]


@pytest.mark.parametrize("panel", ALL_PANELS)
def test_panel_explains_itself(panel: Json) -> None:
    """A description with what is normal, a unit, thresholds, and words where there is no data."""
    defaults = panel["fieldConfig"]["defaults"]
    assert "Normal: " in panel["description"]
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"]
    assert defaults["noValue"]


@pytest.mark.parametrize("panel", [param for param in ALL_PANELS if param.values[0]["type"] == "stat"])
def test_a_single_number_is_the_present_one(panel: Json) -> None:
    """Not the last one of the shown time: what ended an hour ago would look as if it were so."""
    assert all(target["instant"] and not target["range"] for target in panel["targets"])


@pytest.mark.parametrize("panel", ALL_PANELS)
def test_panel_types_are_current(panel: Json) -> None:
    """None that Grafana has removed."""
    assert panel["type"] in {"heatmap", "stat", "state-timeline", "table", "timeseries"}


@pytest.mark.parametrize("board", COMMITTED.values(), ids=COMMITTED)
def test_variables_choose_everything_at_first(board: Json) -> None:
    """Each is multi-select with an "All" that matches any value; none refers to itself."""
    by_name = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert list(by_name) == ["datasource", *CHOICES, "runbooks"]
    for name in CHOICES:
        variable = by_name[name]
        assert variable["multi"]
        assert variable["includeAll"]
        assert variable["current"]["value"] == ["$__all"]
        assert f"${name}" not in variable["definition"]
        assert variable["definition"] == variable["query"]["query"]


@pytest.mark.parametrize("board", COMMITTED.values(), ids=COMMITTED)
def test_what_happened_is_annotated(board: Json) -> None:
    """Graphs show since when an alert fires, when a version came, when workers started."""
    notes = {annotation["name"]: annotation for annotation in board["annotations"]["list"]}
    assert list(notes) == ["Firing alerts", "Deployments", "Restarts"]
    assert notes["Firing alerts"]["expr"].startswith('ALERTS{alertstate="firing"')
    assert all(note["enable"] for note in notes.values())


@pytest.mark.parametrize("board", COMMITTED.values(), ids=COMMITTED)
def test_the_other_boards_are_linked(board: Json) -> None:
    """By the tag that all of ours bear, with variables and time."""
    (link,) = board["links"]
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
    assert link["tags"] == board["tags"] == ["bioagents-monitor"]


def test_links_open_boards_that_exist_and_carry_what_is_chosen() -> None:
    """Each link of a cell leads to one of our boards and loses neither the time nor a variable."""
    uids = {board["uid"] for board in COMMITTED.values()}
    links = re.findall(r'"url": "(/d/(?:[^"\\]|\\.)*)"', json.dumps(list(COMMITTED.values())))
    assert links
    for link in links:
        assert link.split("?")[0].removeprefix("/d/") in uids, link
        assert "${__url_time_range}" in link
        for name in ("datasource", *CHOICES):
            assert f"${{{name}:queryparam}}" in link or f"var-{name}=" in link, link
