"""Panels with what each of ours must have.

That is a title, a description that says what is normal, a unit, and a text where there is no data.

Their queries come as :class:`Target` values; sizes are cells of Grafana's grid, 24 wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from bioagents_dashboards.boards import style

DATASOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")

#: Legends that end so are limits: drawn dashed, in the colour of what is bad.
LIMIT: Final = " limit"

AnyPanel = TypeVar("AnyPanel", stat.Panel, table.Panel, timeseries.Panel)


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel and the name of its series."""

    expression: str
    legend: str = "{{fleet}}"


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says in words. ``empty`` stands in place of the drawing when there is no data."""

    title: str
    description: str
    empty: str


def stat_panel(text: Text, target: Target, *, unit: str, thresholds: build.ThresholdsConfig) -> stat.Panel:
    """One number for each fleet, with its course beneath; the colour judges the last value."""
    panel = stat.Panel().span(3).height(5).thresholds(thresholds)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
    panel.color_mode(common_model.BigValueColorMode.BACKGROUND)
    panel.graph_mode(common_model.BigValueGraphMode.AREA)
    return _described(panel, text, unit).with_target(_query("A", target))


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
    panel.fill_opacity(8).line_width(1).show_points(common_model.VisibilityMode.NEVER)
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(common_model.TooltipDisplayMode.MULTI)
        .sort(common_model.SortOrder.DESCENDING)
    )
    panel.legend(_legend())
    panel.override_by_regexp(f"/{LIMIT}$/", _limit_line())
    for ref, target in zip("ABCDEFGH", targets, strict=False):
        panel.with_target(_query(ref, target))
    return _described(panel, text, unit)


def table_panel(text: Text, targets: Sequence[Target], *, width: int, height: int) -> table.Panel:
    """A line for each set of labels, joined over the queries; columns are named by the caller."""
    panel = table.Panel().span(width).height(height).thresholds(style.no_judgement())
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    for ref, target in zip("ABCDEFGHIJKL", targets, strict=False):
        panel.with_target(_query(ref, target, instant=True))
    return _described(panel, text, "short")


def columns(panel: table.Panel, names: dict[str, str], hide: Sequence[str]) -> table.Panel:
    """Rename columns in this order and leave the others in ``hide`` out."""
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
        properties += [
            model.DynamicConfigValue("thresholds", thresholds.build().to_json()),
            model.DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
        ]
    return panel.override_by_name(name, properties)


def sort_by(panel: table.Panel, name: str) -> table.Panel:
    """The highest value of a column first."""
    return panel.sort_by([common.TableSortByFieldState().display_name(name).desc(desc=True)])


def _described(panel: AnyPanel, text: Text, unit: str) -> AnyPanel:
    panel.title(text.title).description(text.description).no_value(text.empty)
    panel.unit(unit).datasource(DATASOURCE)
    return panel


def _query(ref: str, target: Target, *, instant: bool = False) -> prometheus.Dataquery:
    query = prometheus.Dataquery().ref_id(ref).expr(target.expression).datasource(DATASOURCE)
    if instant:
        return query.instant().format(PromQueryFormat.TABLE)
    return query.range().legend_format(target.legend)


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    legend.display_mode(common_model.LegendDisplayMode.TABLE).placement(common_model.LegendPlacement.RIGHT)
    return legend.calcs(["lastNotNull", "max"])


def _limit_line() -> list[model.DynamicConfigValue]:
    return [
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": style.BAD}),
    ]
