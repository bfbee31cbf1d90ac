"""``bioagents dashboards export --form git-sync``: nothing of the classic board is lost or changed."""

from __future__ import annotations

import json
import re
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboardv2 as v2

from bioagents_dashboards.export import files
from bioagents_dashboards.git_sync import API
from support.boards import Json, boards, hold, panels

MASTERS = boards()
RESOURCES = {name: json.loads(text) for name, text in files("git-sync").items()}

#: The classic form's numbers in the words of schema v2.
CURSOR = {0: "Off", 1: "Crosshair", 2: "Tooltip"}
REFRESH = {0: "never", 1: "onDashboardLoad", 2: "onTimeRangeChanged"}
SORT = {0: "disabled", 1: "alphabeticalAsc"}
#: Of a board's queries to Prometheus.
QUERY = {"kind": "DataQuery", "group": "prometheus", "version": "v0", "datasource": {"name": "${datasource}"}}


def test_resources_are_those_of_the_schema() -> None:
    """Grafana's SDK reads each part and writes the same: no field is unknown, none is missing."""

    def check(resource: Json) -> None:
        spec = resource["spec"]
        for element in spec["elements"].values():  # the SDK's PanelKind cannot read what it writes
            data, shown = element["spec"]["data"], element["spec"]["vizConfig"]["spec"]["fieldConfig"]
            assert encoded(v2.QueryGroupKind.from_json(data)) == data
            assert encoded(v2.FieldConfigSource.from_json(shown)) == shown
        rebuilt = {
            "layout": v2.RowsLayoutKind.from_json(spec["layout"]),
            "annotations": [v2.AnnotationQueryKind.from_json(note) for note in spec["annotations"]],
            "timeSettings": v2.TimeSettingsSpec.from_json(spec["timeSettings"]),
            "links": [v2.DashboardLink.from_json(link) for link in spec["links"]],
            "variables": [KINDS[one["kind"]].from_json(one) for one in spec["variables"]],
        }
        assert encoded(rebuilt) == {key: spec[key] for key in rebuilt}

    hold(RESOURCES.values(), check)


def encoded(built: object) -> Any:  # noqa: ANN401 - JSON
    """What the SDK writes of its own values."""
    return json.loads(JSONEncoder().encode(built))


KINDS: dict[str, Any] = {
    "DatasourceVariable": v2.DatasourceVariableKind,
    "QueryVariable": v2.QueryVariableKind,
    "TextVariable": v2.TextVariableKind,
}


def both() -> list[tuple[str, Json, Json]]:
    """Name, classic board, resource."""
    return [(name, MASTERS[name], RESOURCES[name]) for name in MASTERS]


def test_each_board_is_a_resource() -> None:
    """Under the same file name; the resource's name is the uid, which Kubernetes takes as a name."""
    assert sorted(RESOURCES) == sorted(MASTERS)
    for _, master, resource in both():
        assert (resource["apiVersion"], resource["kind"]) == (API, "Dashboard")
        assert resource["metadata"] == {"name": master["uid"]}
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", resource["metadata"]["name"])


def test_the_frame_is_the_same() -> None:
    """Title, question, tags, time, links, and that it cannot be overwritten accidentally."""
    for _, master, resource in both():
        spec = resource["spec"]
        for key in ("title", "description", "tags", "editable", "links"):
            assert spec[key] == master[key]
        assert spec["cursorSync"] == CURSOR[master["graphTooltip"]]
        time = spec["timeSettings"]
        assert {"from": time["from"], "to": time["to"]} == master["time"]
        assert (time["autoRefresh"], time["timezone"]) == (master["refresh"], master["timezone"])


def panel_element(panel: Json) -> Json:
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
    options = {key: panel[key] for key in ("maxDataPoints",) if key in panel}
    shown = {"options": panel["options"], "fieldConfig": panel["fieldConfig"]}
    return {
        "id": panel["id"],
        "title": panel["title"],
        "description": panel["description"],
        "transparent": False,
        "links": [],
        "data": {
            "kind": "QueryGroup",
            "spec": {"queries": queries, "transformations": changes, "queryOptions": options},
        },
        "vizConfig": {"kind": "VizConfig", "group": panel["type"], "version": "", "spec": shown},
    }


def test_the_panels_are_the_same() -> None:
    """Every query with its resolution, every option, unit, threshold, override and transformation."""
    for _, master, resource in both():
        elements = resource["spec"]["elements"]
        wanted = {f"panel-{panel['id']}": panel_element(panel) for panel in panels(master)}
        assert {key: one["spec"] for key, one in elements.items()} == wanted
        assert {one["kind"] for one in elements.values()} == {"Panel"}


def test_the_layout_is_the_same() -> None:
    """Each panel once, under its row, where the classic board has it, counted from the row's own top."""
    for _, master, resource in both():
        wanted: list[tuple[str | None, list[tuple[Any, ...]]]] = [(None, [])]
        for panel in master["panels"]:
            if panel["type"] == "row":
                wanted.append((panel["title"], []))
            else:
                at = panel["gridPos"]
                wanted[-1][1].append((f"panel-{panel['id']}", at["x"], at["w"], at["h"], at["y"]))
        rows = [row["spec"] for row in resource["spec"]["layout"]["spec"]["rows"]]
        found = [(row.get("title"), _places(row)) for row in rows]
        assert found == [(title, _from_the_top(places)) for title, places in wanted]
        assert [bool(row.get("hideHeader")) for row in rows] == [True, *[False] * (len(rows) - 1)]


def _places(row: Json) -> list[tuple[Any, ...]]:
    specs = [item["spec"] for item in row["layout"]["spec"]["items"]]
    return [(s["element"]["name"], s["x"], s["width"], s["height"], s["y"]) for s in specs]


def _from_the_top(places: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    top = min(place[-1] for place in places)
    return [(*place[:-1], place[-1] - top) for place in places]


def test_the_variables_are_the_same() -> None:
    """Their queries, and what is chosen at first."""
    kinds = {"datasource": "DatasourceVariable", "query": "QueryVariable", "textbox": "TextVariable"}
    for _, master, resource in both():
        found = {one["spec"]["name"]: one for one in resource["spec"]["variables"]}
        assert list(found) == [one["name"] for one in master["templating"]["list"]]
        for variable in master["templating"]["list"]:
            one = found[variable["name"]]
            assert one["kind"] == kinds[variable["type"]]
            assert one["spec"]["label"] == variable["label"]
            assert one["spec"].get("description") == variable.get("description")
            if variable["type"] == "query":
                _same_query(one["spec"], variable)
        assert found["datasource"]["spec"]["pluginId"] == "prometheus"
        runbooks = master["templating"]["list"][-1]
        assert found["runbooks"]["spec"]["query"] == runbooks["query"]
        assert found["runbooks"]["spec"]["current"] == runbooks["current"]


def _same_query(spec: Json, master: Json) -> None:
    assert spec["query"] == QUERY | {"spec": master["query"]}
    same = ("definition", "multi", "includeAll", "allValue", "current", "allowCustomValue")
    assert {k: spec[k] for k in same} == {k: master[k] for k in same}
    assert spec["regex"] == master.get("regex", "")
    assert (spec["refresh"], spec["sort"]) == (REFRESH[master["refresh"]], SORT[master["sort"]])


def test_the_annotations_are_the_same() -> None:
    """The fields that belong to Prometheus are where the schema keeps them."""
    for _, master, resource in both():
        for classic, note in zip(master["annotations"]["list"], resource["spec"]["annotations"], strict=True):
            spec = note["spec"]
            assert spec["query"] == QUERY | {"spec": {}}
            for key in ("name", "enable", "hide", "iconColor", "placement"):
                assert spec[key] == classic[key]
            about = {"datasource", "builtIn", "name", "enable", "hide", "iconColor", "placement"}
            assert spec["legacyOptions"] == {k: v for k, v in classic.items() if k not in about}
