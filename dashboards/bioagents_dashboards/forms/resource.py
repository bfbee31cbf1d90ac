"""For Git Sync: a resource of Grafana 13, the same board in the second schema of dashboards.

Panels become elements that a layout refers to; their options and queries stay as they are. Words stand in
place of the classic form's numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboardv2 as v2
from grafana_foundation_sdk.models import resource as model

from bioagents_dashboards.forms.classic import Json

API: Final = "dashboard.grafana.app/v2"

#: The version of every query until a data source has a second one.
_FIRST: Final = "v0"

_CURSOR: Final = (
    v2.DashboardCursorSync.OFF,
    v2.DashboardCursorSync.CROSSHAIR,
    v2.DashboardCursorSync.TOOLTIP,
)
_REFRESH: Final = (
    v2.VariableRefresh.NEVER,
    v2.VariableRefresh.ON_DASHBOARD_LOAD,
    v2.VariableRefresh.ON_TIME_RANGE_CHANGED,
)
_SORT: Final = (v2.VariableSort.DISABLED, v2.VariableSort.ALPHABETICAL_ASC)

#: What of an annotation is Prometheus's own; the schema keeps it apart.
_OF_PROMETHEUS: Final = ("expr", "step", "tagKeys", "textFormat", "titleFormat")


def resource(board: Json) -> Json:
    """The board as a resource whose name is its uid.

    KeyError or IndexError for what none of our boards has: another kind of variable, a panel inside of a row.
    """
    manifest = model.Manifest(API, model.DashboardKind, model.Metadata(board["uid"]), _spec(board))
    built: Json = json.loads(JSONEncoder().encode(manifest))
    return built


def _spec(board: Json) -> v2.Dashboard:
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    return v2.Dashboard(
        title=board["title"],
        description=board["description"],
        tags=board["tags"],
        editable=board["editable"],
        cursor_sync=_CURSOR[board["graphTooltip"]],
        time_settings=_time(board),
        links=[v2.DashboardLink.from_json(link) for link in board["links"]],
        annotations=[_annotation(note) for note in board["annotations"]["list"]],
        variables=[_VARIABLES[variable["type"]](variable) for variable in board["templating"]["list"]],
        elements={_name(panel): _panel(panel) for panel in panels},
        layout=v2.RowsLayoutKind(v2.RowsLayoutSpec(list(_rows(board["panels"])))),
    )


def _time(board: Json) -> v2.TimeSettingsSpec:
    return v2.TimeSettingsSpec(
        from_val=board["time"]["from"],
        to=board["time"]["to"],
        auto_refresh=board["refresh"],
        timezone=board["timezone"],
        fiscal_year_start_month=board["fiscalYearStartMonth"],
    )


def _query(source: Json, spec: Json) -> v2.DataQueryKind:
    where = v2.Dashboardv2DataQueryKindDatasource(source["uid"])
    return v2.DataQueryKind(group=source["type"], version=_FIRST, datasource=where, spec=spec)


def _annotation(note: Json) -> v2.AnnotationQueryKind:
    return v2.AnnotationQueryKind(
        v2.AnnotationQuerySpec(
            name=note["name"],
            query=_query(note["datasource"], {}),
            enable=note["enable"],
            hide=note["hide"],
            icon_color=note["iconColor"],
            placement=v2.AnnotationQueryPlacement(note["placement"]),
            legacy_options={key: note[key] for key in _OF_PROMETHEUS if key in note},
        )
    )


def _datasource_variable(variable: Json) -> v2.DatasourceVariableKind:
    return v2.DatasourceVariableKind(
        v2.DatasourceVariableSpec(
            name=variable["name"],
            label=variable["label"],
            plugin_id=variable["query"],
            refresh=v2.VariableRefresh.ON_DASHBOARD_LOAD,
        )
    )


def _query_variable(variable: Json) -> v2.QueryVariableKind:
    return v2.QueryVariableKind(
        v2.QueryVariableSpec(
            name=variable["name"],
            label=variable["label"],
            description=variable["description"],
            query=_query(variable["datasource"], variable["query"]),
            definition=variable["definition"],
            regex=variable.get("regex", ""),
            refresh=_REFRESH[variable["refresh"]],
            sort=_SORT[variable["sort"]],
            multi=variable["multi"],
            include_all=variable["includeAll"],
            all_value=variable["allValue"],
            current=v2.VariableOption.from_json(variable["current"]),
        )
    )


def _text_variable(variable: Json) -> v2.TextVariableKind:
    return v2.TextVariableKind(
        v2.TextVariableSpec(
            name=variable["name"],
            label=variable["label"],
            description=variable["description"],
            query=variable["query"],
            current=v2.VariableOption.from_json(variable["current"]),
        )
    )


_VARIABLES: Final[dict[str, Callable[[Json], v2.VariableKind]]] = {
    "datasource": _datasource_variable,
    "query": _query_variable,
    "textbox": _text_variable,
}


def _name(panel: Json) -> str:
    return f"panel-{panel['id']}"


def _panel(panel: Json) -> v2.PanelKind:
    queries = [_panel_query(target) for target in panel["targets"]]
    changes = [_transformation(change) for change in panel.get("transformations", ())]
    return v2.PanelKind(
        v2.PanelSpec(
            id_val=panel["id"],
            title=panel["title"],
            description=panel["description"],
            transparent=panel["transparent"],
            data=v2.QueryGroupKind(v2.QueryGroupSpec(queries, changes)),
            viz_config=v2.VizConfigKind(
                group=panel["type"],
                spec=v2.VizConfigSpec(panel["options"], v2.FieldConfigSource.from_json(panel["fieldConfig"])),
            ),
        )
    )


def _panel_query(target: Json) -> v2.PanelQueryKind:
    spec = {key: value for key, value in target.items() if key not in {"datasource", "refId"}}
    query = _query(target["datasource"], spec)
    return v2.PanelQueryKind(v2.PanelQuerySpec(query, ref_id=target["refId"], hidden=False))


def _transformation(change: Json) -> v2.TransformationKind:
    return v2.TransformationKind(change["id"], v2.TransformationSpec(options=change["options"]))


def _rows(panels: list[Json]) -> Iterator[v2.RowsLayoutRowKind]:
    """The panels before the first row stand in one without a title; each row counts its cells from 0."""
    starts = [place for place, panel in enumerate(panels) if panel["type"] == "row"]
    yield _row(v2.RowsLayoutRowSpec(hide_header=True), panels[: starts[0] if starts else None])
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        yield _row(v2.RowsLayoutRowSpec(title=panels[start]["title"]), panels[start + 1 : end])


def _row(spec: v2.RowsLayoutRowSpec, panels: list[Json]) -> v2.RowsLayoutRowKind:
    top = min(panel["gridPos"]["y"] for panel in panels)
    spec.collapse = False
    spec.layout = v2.GridLayoutKind(v2.GridLayoutSpec([_item(panel, top) for panel in panels]))
    return v2.RowsLayoutRowKind(spec)


def _item(panel: Json, top: int) -> v2.GridLayoutItemKind:
    at = panel["gridPos"]
    element = v2.ElementReference(_name(panel))
    return v2.GridLayoutItemKind(v2.GridLayoutItemSpec(at["x"], at["y"] - top, at["w"], at["h"], element))
