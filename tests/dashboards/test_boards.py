"""Properties of every committed board: Grafana accepts it, each panel explains itself, links work."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from bioagents_alerts import boards as uids
from bioagents_boards.__main__ import FOLDER, files, write
from bioagents_boards.queries import VARIABLES
from support.boards import Json, boards, hold, panels
from support.rule_files import Alert, alerts

BOARDS = list(boards().values())
PANELS = [panel for board in BOARDS for panel in panels(board)]
BY_UID = {board["uid"]: {variable["name"] for variable in board["templating"]["list"]} for board in BOARDS}


def test_committed_files_are_what_the_code_builds() -> None:
    """``python -m bioagents_boards`` changes nothing and leaves nothing else in the folder."""
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == files()


def test_build_removes_boards_that_are_gone(tmp_path: Path) -> None:
    """A board that the code no longer builds does not stay."""
    (tmp_path / "old.json").write_text("{}")
    assert sorted(write(tmp_path)) == sorted(tmp_path.iterdir())


def test_boards_are_classic_json() -> None:
    """The final classic schema, no database id, no version, no inputs that only the import screen fills."""

    def check(board: Json) -> None:
        assert board["schemaVersion"] == 42
        assert board["id"] is None
        assert not {"version", "gnetId", "iteration", "__inputs", "__requires"} & set(board)
        assert 0 < len(board["uid"]) <= 40

    hold(BOARDS, check)


def test_uids_and_titles_are_unique() -> None:
    """One duplicate title freezes a whole provider of Grafana."""
    for key in ("uid", "title"):
        values = [board[key] for board in BOARDS]
        assert len(set(values)) == len(values)


def test_uids_are_stable() -> None:
    """A changed uid breaks every link and makes a second board: renaming one is a breaking change."""
    assert {name: board["uid"] for name, board in boards().items()} == {
        "fleet-overview.json": "bioagents-fleet",
        "queue.json": "bioagents-queue",
        "actor.json": "bioagents-actor",
        "workers.json": "bioagents-workers",
        "capacity.json": "bioagents-capacity",
        "slo.json": "bioagents-slo",
        "redis-and-exporter.json": "bioagents-ground",
    }
    assert BY_UID.keys() == {value for name, value in vars(uids).items() if name.isupper()}


def test_panels_are_unique_and_do_not_overlap() -> None:
    """Ids and titles are unique on a board; no two panels share a cell; none is wider than the grid."""

    def check(board: Json) -> None:
        everything = board["panels"]
        for key in ("id", "title"):
            values = [panel[key] for panel in everything]
            assert len(set(values)) == len(values)
        places = [panel["gridPos"] for panel in everything]
        assert all(place["x"] + place["w"] <= 24 for place in places)
        for a, b in combinations(places, 2):
            apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], ("overlap", a, b)

    hold(BOARDS, check)


def test_panels_explain_themselves() -> None:
    """A description with what is normal, a unit, thresholds, and a text where there is no data."""

    def check(panel: Json) -> None:
        defaults = panel["fieldConfig"]["defaults"]
        assert "Normal: " in panel["description"]
        assert panel["description"].endswith(".")
        assert defaults["unit"]
        assert defaults["thresholds"]["steps"]
        assert defaults["noValue"]

    hold(PANELS, check)


def test_a_single_number_is_the_present_one() -> None:
    """Not the last one of the shown time: what ended an hour ago would look current."""

    def check(panel: Json) -> None:
        assert all(target["instant"] and not target["range"] for target in panel["targets"])

    hold([panel for panel in PANELS if panel["type"] == "stat"], check)


def test_panel_types_are_current() -> None:
    """None that Grafana has removed."""
    assert {panel["type"] for panel in PANELS} <= {"heatmap", "stat", "state-timeline", "table", "timeseries"}


#: Labels that a user's Prometheus may put on its targets.
OPTIONAL = ("region", "cluster", "environment")


def test_variables_choose_everything_at_first() -> None:
    """Each is multi-select with an "All" that matches any value; none refers to itself.

    Labels that a target may lack match the empty text too, or boards would be empty without them.
    """

    def check(board: Json) -> None:
        by_name = {variable["name"]: variable for variable in board["templating"]["list"]}
        assert list(by_name) == ["datasource", *VARIABLES, "runbooks"]
        for name in VARIABLES:
            variable = by_name[name]
            assert variable["multi"]
            assert variable["includeAll"]
            assert variable["allValue"] == (".*" if name in OPTIONAL else ".+")
            assert variable["current"]["value"] == ["$__all"]
            assert f"${name}" not in variable["definition"]
            assert variable["definition"] == variable["query"]["query"]

    hold(BOARDS, check)


def test_the_import_screen_needs_no_answers() -> None:
    """The classic form imports as it is: its variable ``datasource`` chooses the source, first the default.

    Every reference to a data source is that variable, which has no value of some installation.
    """

    def check(board: Json) -> None:
        (source,) = [one for one in board["templating"]["list"] if one["type"] == "datasource"]
        assert source["name"] == "datasource"
        assert not source.get("current", {}).get("value")
        found = set(re.findall(r'"uid": "([^"]*)"', json.dumps(board))) - {board["uid"]}
        assert found == {"${datasource}"}

    hold(BOARDS, check)


def test_what_happened_is_annotated() -> None:
    """Graphs show since when an alert fires, when a version came, when workers started."""

    def check(board: Json) -> None:
        notes = {annotation["name"]: annotation for annotation in board["annotations"]["list"]}
        assert list(notes) == ["Firing alerts", "Deployments", "Restarts"]
        assert notes["Firing alerts"]["expr"].startswith("ALERTS{")
        assert 'alertstate="firing"' in notes["Firing alerts"]["expr"]
        assert all(note["enable"] for note in notes.values())

    hold(BOARDS, check)


def test_the_other_boards_are_linked() -> None:
    """By the tag that all of ours bear, with variables and time."""

    def check(board: Json) -> None:
        (link,) = board["links"]
        assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
        assert link["tags"] == board["tags"] == ["bioagents-monitor"]

    hold(BOARDS, check)


def test_links_open_boards_that_exist_and_carry_what_is_chosen() -> None:
    """Each link of a cell leads to one of our boards and loses neither the time nor a variable.

    A variable takes the value of its own column.
    """

    def check(link: str) -> None:
        for name, column in re.findall(r'var-(\w+)=\$\{__data\.fields\[\\"([^"\\]+)', link):
            assert column == ("Id" if name == "worker" else name.title())
        assert link.split("?", maxsplit=1)[0].removeprefix("/d/") in BY_UID
        assert "${__url_time_range}" in link
        for name in ("datasource", *VARIABLES):
            assert f"${{{name}:queryparam}}" in link or f"var-{name}=" in link

    hold(re.findall(r'"url": "(/d/(?:[^"\\]|\\.)*)"', json.dumps(BOARDS)), check)


def test_alerts_lead_to_boards_and_their_variables() -> None:
    """A uid of ours, the same as in the label ``board``, and no variable that the board would drop."""

    def check(alert: Alert) -> None:
        url = alert.rule["annotations"]["dashboard_url"]
        uid = urlsplit(url).path.removeprefix("/d/")
        assert alert.rule["labels"]["board"] == uid
        assert set(re.findall(r"var-(\w+)=", url)) <= BY_UID[uid]

    hold(alerts(), check)


def test_each_board_is_reached_from_an_alert() -> None:
    """No board is unreachable for a person who is paged."""
    urls = [alert.rule["annotations"]["dashboard_url"] for alert in alerts()]
    assert BY_UID.keys() <= {urlsplit(url).path.removeprefix("/d/") for url in urls}


def test_tables_name_columns_that_exist() -> None:
    """A link, an override or an order by a column that does not exist has no effect, and no error."""

    def check(panel: Json) -> None:
        named = {sort["displayName"] for sort in panel["options"].get("sortBy", [])}
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["id"] == "byName":
                named.add(override["matcher"]["options"])
            named |= set(re.findall(r'__data\.fields\[\\*"([^"\\]+)', json.dumps(override["properties"])))
        assert named <= set(organized(panel)["renameByName"].values())

    hold([panel for panel in PANELS if panel["type"] == "table"], check)


def test_each_query_of_a_table_has_its_column() -> None:
    """Shown or hidden; and no column refers to a query that the panel does not have."""

    def check(panel: Json) -> None:
        refs = [target["refId"] for target in panel["targets"]]
        values = {"Value"} if len(refs) == 1 else {f"Value #{ref}" for ref in refs}
        known = set(organized(panel)["renameByName"]) | set(organized(panel)["excludeByName"])
        assert {name for name in known if name.startswith("Value")} == values

    hold([panel for panel in PANELS if panel["type"] == "table"], check)


def organized(panel: Json) -> Json:
    """How a table names, orders and hides its columns."""
    (options,) = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
    return dict(options)
