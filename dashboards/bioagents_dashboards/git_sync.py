"""A board as a resource of Grafana 13 for Git Sync: the same board in schema v2 of dashboards.

Panels become elements that a layout refers to; their options and queries stay as they are. Words replace the
numbers of the classic form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from bioagents_dashboards.shipped import BoardJson

API: Final = "dashboard.grafana.app/v2"

#: The version of every query until a data source has a second one.
_FIRST: Final = "v0"

_CURSOR: Final = ("Off", "Crosshair", "Tooltip")
_REFRESH: Final = ("never", "onDashboardLoad", "onTimeRangeChanged")
_SORT: Final = ("disabled", "alphabeticalAsc")
_REFRESH_INTERVALS: Final = ("5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "1d")

#: Fields of an annotation that belong to Prometheus; the schema keeps them apart.
_OF_PROMETHEUS: Final = ("expr", "step", "tagKeys", "textFormat", "titleFormat")
#: Fields of a query that the schema keeps next to it.
_OF_QUERY: Final = {"datasource", "refId"}

Json = dict[str, Any]


def resource(board: BoardJson) -> Json:
    """The board as a resource whose name is its uid.

    KeyError or IndexError for what none of our boards has: another kind of variable, a panel inside a row.
    """
    return {
        "apiVersion": API,
        "kind": "Dashboard",
        "metadata": {"name": board["uid"]},
        "spec": {
            **{key: board[key] for key in ("title", "description", "tags", "editable", "links")},
            "preload": False,
            "cursorSync": _CURSOR[board["graphTooltip"]],
            "timeSettings": _time(board),
            "annotations": [_annotation(note) for note in board["annotations"]["list"]],
            "variables": [_VARIABLES[one["type"]](one) for one in board["templating"]["list"]],
            "elements": {_name(panel): _panel(panel) for panel in board["panels"] if panel["type"] != "row"},
            "layout": {"kind": "RowsLayout", "spec": {"rows": list(_rows(board["panels"]))}},
        },
    }


def _kind(kind: str, **spec: object) -> Json:
    return {"kind": kind, "spec": spec}


def _time(board: BoardJson) -> Json:
    return {
        **board["time"],
        "autoRefresh": board["refresh"],
        "autoRefreshIntervals": list(_REFRESH_INTERVALS),
        "hideTimepicker": False,
        "timezone": board["timezone"],
        "fiscalYearStartMonth": board["fiscalYearStartMonth"],
    }


def _query(source: Json, spec: Json) -> Json:
    where = {"name": source["uid"]}
    return {
        "kind": "DataQuery", "group": source["type"], "version": _FIRST, "datasource": where, "spec": spec,
    }  # fmt: skip


def _annotation(note: Json) -> Json:
    same = {key: note[key] for key in ("name", "enable", "hide", "iconColor", "placement")}
    options = {key: note[key] for key in _OF_PROMETHEUS if key in note}
    query = _query(note["datasource"], {})
    return _kind("AnnotationQuery", **same, builtIn=False, query=query, legacyOptions=options)


def _variable(kind: str, variable: Json, **more: object) -> Json:
    described = {key: variable[key] for key in ("name", "label", "description") if key in variable}
    return _kind(kind, **described, hide="dontHide", skipUrlSync=False, **more)


def _datasource_variable(variable: Json) -> Json:
    return _variable(
        "DatasourceVariable",
        variable,
        pluginId=variable["query"],
        refresh=_REFRESH[1],
        regex="",
        current=variable.get("current") or {"text": "", "value": ""},
        options=[],
        multi=False,
        includeAll=False,
        allowCustomValue=True,
    )


def _query_variable(variable: Json) -> Json:
    same = ("definition", "multi", "includeAll", "allValue", "current", "allowCustomValue")
    return _variable(
        "QueryVariable",
        variable,
        **{key: variable[key] for key in same},
        query=_query(variable["datasource"], variable["query"]),
        regex=variable.get("regex", ""),
        regexApplyTo="value",
        refresh=_REFRESH[variable["refresh"]],
        sort=_SORT[variable["sort"]],
        options=[],
    )


def _text_variable(variable: Json) -> Json:
    return _variable("TextVariable", variable, query=variable["query"], current=variable["current"])


_VARIABLES: Final[dict[str, Callable[[Json], Json]]] = {
    "datasource": _datasource_variable,
    "query": _query_variable,
    "textbox": _text_variable,
}


def _name(panel: Json) -> str:
    return f"panel-{panel['id']}"


def _panel(panel: Json) -> Json:
    changes = [
        {"kind": "Transformation", "group": change["id"], "spec": {"options": change["options"]}}
        for change in panel.get("transformations", ())
    ]
    queries = [_panel_query(target) for target in panel["targets"]]
    points = {"maxDataPoints": panel["maxDataPoints"]} if "maxDataPoints" in panel else {}
    shown = {"options": panel["options"], "fieldConfig": panel["fieldConfig"]}
    return _kind(
        "Panel",
        **{key: panel[key] for key in ("id", "title", "description", "transparent")},
        links=[],
        data=_kind("QueryGroup", queries=queries, transformations=changes, queryOptions=points),
        vizConfig={"kind": "VizConfig", "group": panel["type"], "version": "", "spec": shown},
    )


def _panel_query(target: Json) -> Json:
    spec = {key: value for key, value in target.items() if key not in _OF_QUERY}
    return _kind("PanelQuery", query=_query(target["datasource"], spec), refId=target["refId"], hidden=False)


def _rows(panels: list[Json]) -> Iterator[Json]:
    """The panels before the first row are in one without a title; each row counts its cells from 0."""
    starts = [place for place, panel in enumerate(panels) if panel["type"] == "row"]
    yield _row({"hideHeader": True}, panels[: starts[0] if starts else None])
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        yield _row({"title": panels[start]["title"]}, panels[start + 1 : end])


def _row(header: Json, panels: list[Json]) -> Json:
    top = min(panel["gridPos"]["y"] for panel in panels)
    items = [_item(panel["gridPos"], _name(panel), top) for panel in panels]
    return _kind("RowsLayoutRow", **header, collapse=False, layout=_kind("GridLayout", items=items))


def _item(at: Json, panel: str, top: int) -> Json:
    element = {"kind": "ElementReference", "name": panel}
    place = {"x": at["x"], "y": at["y"] - top, "width": at["w"], "height": at["h"]}
    return _kind("GridLayoutItem", element=element, **place)
