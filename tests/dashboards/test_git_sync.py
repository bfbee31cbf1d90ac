"""The boards as resources of Grafana 13: nothing of the classic board is lost or changed on the way."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bioagents_dashboards.forms.resource import API
from bioagents_dashboards.locate import boards_folder
from support.boards import Json, boards, panels

MASTERS = boards()
RESOURCES = {
    path.name: json.loads(path.read_text())
    for path in sorted((boards_folder().parent / "git-sync").iterdir())
}
EACH = pytest.mark.parametrize("name", RESOURCES)

#: The classic form's numbers in the words of the second schema.
CURSOR = {0: "Off", 1: "Crosshair", 2: "Tooltip"}
REFRESH = {0: "never", 1: "onDashboardLoad", 2: "onTimeRangeChanged"}
SORT = {0: "disabled", 1: "alphabeticalAsc"}
#: Of a board's queries to Prometheus.
QUERY = {"kind": "DataQuery", "group": "prometheus", "version": "v0", "datasource": {"name": "${datasource}"}}


def element(panel: Json) -> Json:
    """What a panel becomes, word by word."""
    apart = {"datasource", "refId"}
    queries = [
        {
            "kind": "PanelQuery",
            "spec": {
                "refId": target["refId"],
                "hidden": False,
                "query": QUERY | {"spec": {k: v for k, v in target.items() if k not in apart}},
            },
        }
        for target in panel["targets"]
    ]
    changes = [
        {"kind": "Transformation", "group": change["id"], "spec": {"options": change["options"]}}
        for change in panel.get("transformations", [])
    ]
    shown = {"options": panel["options"], "fieldConfig": panel["fieldConfig"]}
    return {
        "id": panel["id"],
        "title": panel["title"],
        "description": panel["description"],
        "transparent": False,
        "links": [],
        "data": {
            "kind": "QueryGroup",
            "spec": {"queries": queries, "transformations": changes, "queryOptions": {}},
        },
        "vizConfig": {"kind": "VizConfig", "group": panel["type"], "version": "", "spec": shown},
    }


def test_each_board_is_a_resource() -> None:
    """Under the same file name; the resource's name is the uid, which Kubernetes takes as a name."""
    assert list(RESOURCES) == list(MASTERS)
    for name, resource in RESOURCES.items():
        assert (resource["apiVersion"], resource["kind"]) == (API, "Dashboard")
        assert resource["metadata"] == {"name": MASTERS[name]["uid"]}
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", resource["metadata"]["name"])


@EACH
def test_the_frame_is_the_same(name: str) -> None:
    """Title, question, tags, time, links, and that nobody saves over it by accident."""
    master, spec = MASTERS[name], RESOURCES[name]["spec"]
    for key in ("title", "description", "tags", "editable", "links"):
        assert spec[key] == master[key]
    assert spec["cursorSync"] == CURSOR[master["graphTooltip"]]
    time = spec["timeSettings"]
    assert {"from": time["from"], "to": time["to"]} == master["time"]
    assert (time["autoRefresh"], time["timezone"]) == (master["refresh"], master["timezone"])


@EACH
def test_the_panels_are_the_same(name: str) -> None:
    """Every query, option, unit, threshold, override and transformation."""
    elements = RESOURCES[name]["spec"]["elements"]
    wanted = {f"panel-{panel['id']}": element(panel) for panel in panels(MASTERS[name])}
    assert {key: one["spec"] for key, one in elements.items()} == wanted
    assert {one["kind"] for one in elements.values()} == {"Panel"}


@EACH
def test_the_layout_is_the_same(name: str) -> None:
    """Each panel once, under its row, where the classic board has it."""
    wanted: list[tuple[str | None, list[tuple[str, int, int, int]]]] = [(None, [])]
    for panel in MASTERS[name]["panels"]:
        if panel["type"] == "row":
            wanted.append((panel["title"], []))
        else:
            at = panel["gridPos"]
            wanted[-1][1].append((f"panel-{panel['id']}", at["x"], at["w"], at["h"]))
    rows = [row["spec"] for row in RESOURCES[name]["spec"]["layout"]["spec"]["rows"]]
    found = [(row.get("title"), [_place(item["spec"]) for item in _items(row)]) for row in rows]
    assert found == wanted
    assert [bool(row.get("hideHeader")) for row in rows] == [True, *[False] * (len(rows) - 1)]


@EACH
def test_the_places_within_a_row_are_the_same(name: str) -> None:
    """Counted from the row's own top."""
    y = {f"panel-{panel['id']}": panel["gridPos"]["y"] for panel in panels(MASTERS[name])}
    for row in RESOURCES[name]["spec"]["layout"]["spec"]["rows"]:
        places = {item["spec"]["element"]["name"]: item["spec"]["y"] for item in _items(row["spec"])}
        assert min(places.values()) == 0
        assert len({y[panel] - place for panel, place in places.items()}) == 1


def _items(row: Json) -> list[Json]:
    items: list[Json] = row["layout"]["spec"]["items"]
    return items


def _place(spec: Json) -> tuple[Any, ...]:
    return (spec["element"]["name"], spec["x"], spec["width"], spec["height"])


@EACH
def test_the_variables_are_the_same(name: str) -> None:
    """Their queries, and what is chosen at first."""
    masters = {one["name"]: one for one in MASTERS[name]["templating"]["list"]}
    found = {one["spec"]["name"]: one for one in RESOURCES[name]["spec"]["variables"]}
    assert list(found) == list(masters)
    kinds = {"datasource": "DatasourceVariable", "query": "QueryVariable", "textbox": "TextVariable"}
    for key, master in masters.items():
        spec = found[key]["spec"]
        assert found[key]["kind"] == kinds[master["type"]]
        assert (spec["label"], spec.get("description")) == (master["label"], master.get("description"))
        if master["type"] == "query":
            assert spec["query"] == QUERY | {"spec": master["query"]}
            same = ("definition", "multi", "includeAll", "allValue", "current", "allowCustomValue")
            assert {k: spec[k] for k in same} == {k: master[k] for k in same}
            assert spec["regex"] == master.get("regex", "")
            assert (spec["refresh"], spec["sort"]) == (REFRESH[master["refresh"]], SORT[master["sort"]])
    assert found["datasource"]["spec"]["pluginId"] == "prometheus"
    assert found["runbooks"]["spec"]["query"] == masters["runbooks"]["query"]


@EACH
def test_the_annotations_are_the_same(name: str) -> None:
    """What is Prometheus's own in them stands where the schema keeps it."""
    for master, note in zip(
        MASTERS[name]["annotations"]["list"], RESOURCES[name]["spec"]["annotations"], strict=True
    ):
        spec = note["spec"]
        assert spec["query"] == QUERY | {"spec": {}}
        for key in ("name", "enable", "hide", "iconColor", "placement"):
            assert spec[key] == master[key]
        about = {"datasource", "builtIn", "name", "enable", "hide", "iconColor", "placement"}
        assert spec["legacyOptions"] == {key: value for key, value in master.items() if key not in about}
