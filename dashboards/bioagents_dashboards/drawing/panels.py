"""Panels with what each of ours must have.

That is a title, a description that says what is normal, a unit, and a text where there is no data.

Their queries come as :class:`Target` values; sizes are cells of Grafana's grid, 24 wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import (
    common,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.choices import CHOICES
from bioagents_dashboards.drawing.identity import Identity
from bioagents_dashboards.drawing.legends import FLEET

DATASOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")

#: Legends that end so are limits: drawn dashed, in the colour of what is bad.
LIMIT: Final = " limit"

#: Of numbers and tables, which have no course. Grafana derives from it over how long a rate is taken: a
#: minute or little more, whatever time is shown.
_PRESENT: Final = 100_000

#: In a cell without a value.
NOTHING: Final = "–"

#: So many columns a heat map has at most.
_CELLS: Final = 240

#: A column or an override of whole numbers.
WHOLE: Final = model.DynamicConfigValue("decimals", 0)

#: From this width on a graph has its legend at its side.
_WIDE: Final = 12

AnyPanel = TypeVar("AnyPanel", heatmap.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel and the name of its series."""

    expression: str
    legend: str = FLEET


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says in words. ``empty`` stands in place of the drawing when there is no data."""

    title: str
    description: str
    empty: str


def stat_panel(text: Text, target: Target, *, unit: str, thresholds: build.ThresholdsConfig) -> stat.Panel:
    """One number for each fleet, as it is now; the colour judges it.

    Not the last one of the shown time: what ended an hour ago would stand there as if it were so.
    """
    panel = stat.Panel().span(3).height(5).thresholds(style.or_unknown(thresholds))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
    panel.color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
    panel.graph_mode(common_model.BigValueGraphMode.NONE)
    panel.max_data_points(_PRESENT)
    return _described(panel, text, unit).with_target(_query("A", target).instant())


def graph_panel(
    text: Text,
    targets: Sequence[Target],
    *,
    unit: str,
    width: int = 12,
    thresholds: build.ThresholdsConfig | None = None,
) -> timeseries.Panel:
    """Lines over time; series whose name ends in :data:`LIMIT` are drawn as limits."""
    panel = timeseries.Panel().span(width).height(8).min(0)
    panel.thresholds(thresholds or style.no_judgement())
    if unit == "short":
        panel.axis_soft_max(1)  # zeros alone would stand on an axis up to 100
    # A lone value between gaps is a point and no line: "auto" shows it, "never" would not.
    panel.fill_opacity(8).line_width(1).show_points(common_model.VisibilityMode.AUTO)
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(common_model.TooltipDisplayMode.MULTI)
        .sort(common_model.SortOrder.DESCENDING)
    )
    panel.legend(_legend(width))
    panel.override_by_regexp(f"/{LIMIT}$/", _limit_line())
    for ref, target in zip(ascii_uppercase, targets, strict=False):
        panel.with_target(_query(ref, target))
    return _described(panel, text, unit)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """What its series are together: areas on top of each other."""
    panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL))
    return panel.fill_opacity(60).line_width(0)


def table_panel(text: Text, targets: Sequence[Target], *, width: int, height: int) -> table.Panel:
    """A line for each set of labels, joined over the queries; columns are named by the caller."""
    panel = table.Panel().span(width).height(height).thresholds(style.no_judgement()).min_width(60)
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    panel.max_data_points(_PRESENT)
    # The text for an empty table is not that of an empty cell.
    panel.override_by_regexp("/.*/", [model.DynamicConfigValue("noValue", NOTHING)])
    for ref, target in zip(ascii_uppercase, targets, strict=False):
        panel.with_target(_query(ref, target, instant=True))
    return _described(panel, text, "short")


def heatmap_panel(text: Text, expression: str, *, unit: str, width: int = 12) -> heatmap.Panel:
    """The distribution of a histogram over time; ``expression`` gives rates of buckets, by ``le`` alone.

    Its colours say how many, not whether that is good.
    """
    panel = heatmap.Panel().span(width).height(8).thresholds(style.no_judgement())
    panel.calculate(calculate=False).cell_gap(1).show_legend()
    # Narrower cells cannot be told apart, and all buckets of all series are much to read.
    panel.max_data_points(_CELLS)
    panel.y_axis(heatmap.YAxisConfig().unit(unit).axis_placement(common_model.AxisPlacement.LEFT))
    panel.color(
        heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME).scheme("Cividis").steps(32)
    )
    query = _query("A", Target(expression, "{{le}}")).format(PromQueryFormat.HEATMAP)
    return _described(panel, text, "ops").with_target(query)


def timeline_panel(
    text: Text, target: Target, *, unit: str, thresholds: build.ThresholdsConfig, width: int = 12
) -> statetimeline.Panel:
    """A bar for each series, coloured by its thresholds: when was which in what state."""
    panel = statetimeline.Panel().span(width).height(8).thresholds(thresholds)
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.merge_values(merge_values=True).row_height(0.8).line_width(0).fill_opacity(80)
    panel.show_value(common_model.VisibilityMode.NEVER)
    panel.legend(common.VizLegendOptions().show_legend(show_legend=False))
    return _described(panel, text, unit).with_target(_query("A", target))


def columns(panel: table.Panel, names: dict[str, str], hide: Sequence[str]) -> table.Panel:
    """Rename columns in this order and leave the others in ``hide`` out; labels are texts, 123 too."""
    for source, name in names.items():
        if not source.startswith("Value"):
            column(panel, name, "string")
    options = {
        "excludeByName": dict.fromkeys(hide, True),
        "indexByName": {source: place for place, source in enumerate(names)},
        "renameByName": names,
    }
    return panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=options))


def column(
    panel: table.Panel,
    name: str,
    unit: str,
    thresholds: build.ThresholdsConfig | None = None,
    *more: model.DynamicConfigValue,
) -> table.Panel:
    """The unit of a column and, where its numbers can be judged, their colours."""
    properties = [model.DynamicConfigValue("unit", unit), *more]
    if thresholds is not None:
        judged = style.or_unknown(thresholds, "transparent")
        properties += [
            model.DynamicConfigValue("thresholds", judged.build().to_json()),
            model.DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
        ]
    return panel.override_by_name(name, properties)


def at_least(width: int) -> model.DynamicConfigValue:
    """For a column of long words."""
    return model.DynamicConfigValue("custom.minWidth", width)


def opens(title: str, board: Identity, **chosen: str) -> model.DynamicConfigValue:
    """The one link of a column's cells, as :func:`link` writes it."""
    return links(link(title, board, **chosen))


def links(*of_a_cell: dict[str, str]) -> model.DynamicConfigValue:
    """What a cell leads to; Grafana asks which, where there are several."""
    return model.DynamicConfigValue("links", list(of_a_cell))


def link(title: str, board: Identity, **chosen: str) -> dict[str, str]:
    """A link to a board: all variables as they are here, but ``chosen`` ones anew.

    ``chosen`` names a variable and the column, by its shown name, whose value it takes: ``queue="Queue"``.
    """
    carried = [
        f"${{{name}:queryparam}}" for name in ("datasource", *CHOICES, "runbooks") if name not in chosen
    ]
    taken = [
        f"var-{name}=${{__data.fields[{column!r}]:percentencode}}".replace("'", '"')
        for name, column in chosen.items()
    ]
    url = f"/d/{board.uid}?{'&'.join([*carried, *taken])}&${{__url_time_range}}"
    return {"title": title, "url": url}


def sort_by(panel: table.Panel, name: str, *, highest_first: bool = True) -> table.Panel:
    """The lines in the order of a column."""
    return panel.sort_by([common.TableSortByFieldState().display_name(name).desc(desc=highest_first)])


def _described(panel: AnyPanel, text: Text, unit: str) -> AnyPanel:
    panel.title(text.title).description(text.description).no_value(text.empty)
    panel.unit(unit).datasource(DATASOURCE)
    return panel


def _query(ref: str, target: Target, *, instant: bool = False) -> prometheus.Dataquery:
    query = prometheus.Dataquery().ref_id(ref).expr(target.expression).datasource(DATASOURCE)
    if instant:
        return query.instant().format(PromQueryFormat.TABLE)
    return query.range().legend_format(target.legend)


def _legend(width: int) -> common.VizLegendOptions:
    """Beside the lines where there is room for both."""
    wide = width >= _WIDE
    place = common_model.LegendPlacement.RIGHT if wide else common_model.LegendPlacement.BOTTOM
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    legend.display_mode(common_model.LegendDisplayMode.TABLE).placement(place)
    return legend.calcs(["lastNotNull", "max"])


def _limit_line() -> list[model.DynamicConfigValue]:
    return [
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": style.BAD}),
    ]
