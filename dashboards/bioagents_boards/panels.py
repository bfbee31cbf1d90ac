"""The kinds of panels, as values that a board lists and :meth:`Panel.draw` turns into Grafana's.

Each has a title, a description that says what is normal and what to do otherwise, a unit, and a text for the
case without data. Sizes are cells of Grafana's grid, which is 24 wide.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
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
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from bioagents_boards import style
from bioagents_boards.queries import TARGET
from bioagents_boards.style import NOT_JUDGED, Thresholds, ValueMapping

DATASOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")

#: Legends: the fleet and whatever else distinguishes two targets, then the labels of the series. Grafana
#: leaves out a label that a series does not have.
FLEET: Final = " ".join(f"{{{{{label}}}}}" for label in TARGET)
BY_QUEUE: Final = FLEET + " {{queue}}"
BY_ACTOR: Final = FLEET + " {{actor}}"
BY_EXCEPTION: Final = FLEET + " {{queue}} {{actor}} {{exception}}"
BY_HOST: Final = FLEET + " {{host}}"
BY_WORKER: Final = FLEET + " {{host}}:{{pid}}"
BY_COPY: Final = FLEET + " {{instance}}"

#: What a number is of that is the highest or lowest of several: see :class:`Stat`.
OF_QUEUE: Final = "{{queue}}"
OF_ACTOR: Final = "{{queue}} {{actor}}"
OF_HOST: Final = "{{host}}"
OF_WORKER: Final = "{{host}}:{{pid}}"
OF_ALERT: Final = "{{alertname}} {{queue}}"

#: Legends that end so are limits or thresholds of alerts: drawn dashed, in the colour of what is bad.
LIMIT: Final = " limit"
THRESHOLD: Final = " threshold"

#: Data points for numbers and tables, which show one moment. Grafana derives the range of a rate from it: a
#: minute or little more, whatever time is shown.
_ONE_MOMENT: Final = 100_000

#: Pixels of the names in tiles. Grafana's own choice, a quarter of the number, is too small to be read.
_NAME_SIZE: Final = 12

#: A heat map has at most so many columns: narrower cells are indistinguishable, and slow to query.
_HEATMAP_COLUMNS: Final = 240

#: Where the axis of a unit ends at least: zeros alone would get one up to 100, as 10,000 % or 1.67 minutes.
_LEAST_AXIS: Final = {"short": 1, "count": 1, "percentunit": 0.01, "s": 0.001}

#: From this width on a legend has room for the highest value of a line in addition to the last one.
_WIDE: Final = 12

_AnyPanel = TypeVar(
    "_AnyPanel", heatmap.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel
)


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel and the name of its series."""

    query: str
    legend: str = FLEET


@dataclass(frozen=True, slots=True)
class Panel(ABC):
    """What every panel has. ``empty`` is shown in place of the drawing when there is no data."""

    title: str
    description: str

    @abstractmethod
    def draw(self) -> Builder[model.Panel]:
        """The panel as Grafana's SDK builds it."""

    def _describe(self, panel: _AnyPanel, unit: str, empty: str) -> _AnyPanel:
        panel.title(self.title).description(self.description).no_value(empty)
        panel.unit(unit).datasource(DATASOURCE)
        return panel


@dataclass(frozen=True, slots=True)
class Stat(Panel):
    """One number for each fleet, as it is now; the colour judges it.

    It is not the last value of the shown time: what ended an hour ago would look current. ``which`` names
    what the number is of, where it is the worst of several: ``{{queue}}``.
    """

    query: str
    _: KW_ONLY
    empty: str
    unit: str = "short"
    thresholds: Thresholds = NOT_JUDGED
    mappings: Sequence[ValueMapping] = ()
    whole: bool = False  # without decimals
    which: str = ""
    width: int = 6

    def draw(self) -> stat.Panel:
        """Instant query, no sparkline, coloured background."""
        panel = stat.Panel().span(self.width).height(4).thresholds(self.thresholds.or_unknown())
        panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        panel.color_mode(common_model.BigValueColorMode.BACKGROUND_SOLID)
        panel.graph_mode(common_model.BigValueGraphMode.NONE).max_data_points(_ONE_MOMENT)
        if self.mappings:
            panel.mappings(list(self.mappings))
        if self.whole:
            panel.decimals(0)
        panel.text(common.VizTextDisplayOptions().title_size(_NAME_SIZE))
        if self.which:
            panel.text_mode(common_model.BigValueTextMode.VALUE_AND_NAME)
        target = Target(self.query, f"{FLEET} {self.which}".rstrip())
        return self._describe(panel, self.unit, self.empty).with_target(dataquery("A", target).instant())


@dataclass(frozen=True, slots=True)
class Graph(Panel):
    """Lines over time; series whose legend ends in :data:`LIMIT` or :data:`THRESHOLD` are drawn dashed.

    ``colors`` fixes the colour of series by the end of their legend. ``dotted`` does the same for dots.
    ``steps`` holds each value until the next one: for whole numbers that change rarely.
    """

    targets: Sequence[Target]
    _: KW_ONLY
    empty: str
    unit: str = "short"
    thresholds: Thresholds = NOT_JUDGED
    minimum: float = 0
    maximum: float | None = None
    width: int = 8
    height: int = 8
    stacked: bool = False
    steps: bool = False
    dotted: str = ""
    colors: Sequence[tuple[str, str]] = ()

    def draw(self) -> timeseries.Panel:
        """Thin lines, a table as legend, a tooltip with all series."""
        panel = timeseries.Panel().span(self.width).height(self.height).min(self.minimum)
        if self.maximum is not None:
            panel.max(self.maximum)
        panel.thresholds(self.thresholds.plain())
        if (least := _LEAST_AXIS.get(self.unit.split(":")[0])) is not None:
            panel.axis_soft_max(least)
        # A lone value between gaps is a point and no line: "auto" shows it, "never" does not.
        panel.fill_opacity(8).line_width(1).show_points(common_model.VisibilityMode.AUTO)
        panel.tooltip(_tooltip()).legend(_legend(self.width))
        self._style_series(panel)
        for ref, target in zip(ascii_uppercase, self.targets, strict=False):
            panel.with_target(dataquery(ref, target))
        return self._describe(panel, self.unit, self.empty)

    def _style_series(self, panel: timeseries.Panel) -> None:
        panel.override_by_regexp(f"/({LIMIT}|{THRESHOLD})$/", [*_lines("dash", 8, 6), _fixed(style.BAD)])
        if self.dotted:
            panel.override_by_regexp(f"/{self.dotted}$/", _lines("dot", 2, 6))
        for ending, color in self.colors:
            panel.override_by_regexp(f"/{ending}$/", [_fixed(color)])
        if self.steps:
            panel.line_interpolation(common_model.LineInterpolation.STEP_AFTER)
        if self.stacked:
            panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL))
            panel.fill_opacity(60).line_width(0)


@dataclass(frozen=True, slots=True)
class Heatmap(Panel):
    """The distribution of a histogram over time; ``query`` gives rates of buckets, by ``le`` alone.

    Its colours show how many, not whether that is good.
    """

    query: str
    _: KW_ONLY
    empty: str
    width: int = 12

    def draw(self) -> heatmap.Panel:
        """Seconds on the axis, events per second as colours."""
        panel = heatmap.Panel().span(self.width).height(8).thresholds(NOT_JUDGED.plain())
        panel.calculate(calculate=False).cell_gap(1).show_legend().max_data_points(_HEATMAP_COLUMNS)
        panel.y_axis(heatmap.YAxisConfig().unit("s").axis_placement(common_model.AxisPlacement.LEFT))
        scheme = heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME)
        panel.color(scheme.scheme("Cividis").steps(32))
        asked = dataquery("A", Target(self.query, "{{le}}")).format(PromQueryFormat.HEATMAP)
        return self._describe(panel, style.ATTEMPTS, self.empty).with_target(asked)


@dataclass(frozen=True, slots=True)
class Timeline(Panel):
    """A bar for each series, coloured by its thresholds: which was in what state when."""

    target: Target
    _: KW_ONLY
    empty: str
    thresholds: Thresholds
    unit: str = "short"
    mappings: Sequence[ValueMapping] = ()
    width: int = 12
    height: int = 8

    def draw(self) -> statetimeline.Panel:
        """Bars without numbers in them."""
        panel = statetimeline.Panel().span(self.width).height(self.height)
        panel.thresholds(self.thresholds.plain())
        panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        panel.merge_values(merge_values=True).row_height(0.8).line_width(0).fill_opacity(80)
        panel.show_value(common_model.VisibilityMode.NEVER)
        panel.legend(common.VizLegendOptions().show_legend(show_legend=False))
        if self.mappings:
            panel.mappings(list(self.mappings))
        return self._describe(panel, self.unit, self.empty).with_target(dataquery("A", self.target))


def dataquery(ref: str, target: Target, *, as_table: bool = False) -> prometheus.Dataquery:
    """One query: a range with a legend, or the present moment for a table."""
    asked = prometheus.Dataquery().ref_id(ref).expr(target.query).datasource(DATASOURCE)
    if as_table:
        return asked.instant().format(PromQueryFormat.TABLE)
    return asked.range().legend_format(target.legend)


def one_moment(panel: table.Panel) -> table.Panel:
    """For a table: rates as of a minute, whatever time is shown."""
    return panel.max_data_points(_ONE_MOMENT)


def _tooltip() -> common.VizTooltipOptions:
    every_series = common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI)
    return every_series.sort(common_model.SortOrder.DESCENDING)


def _legend(width: int) -> common.VizLegendOptions:
    """Below the lines: at their side its names leave a narrow screen no room for them."""
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    legend.display_mode(common_model.LegendDisplayMode.TABLE)
    legend.placement(common_model.LegendPlacement.BOTTOM)
    return legend.calcs(["lastNotNull", "max"] if width >= _WIDE else ["lastNotNull"])


def _lines(fill: str, drawn: int, gap: int) -> list[model.DynamicConfigValue]:
    return [
        model.DynamicConfigValue("custom.lineStyle", {"fill": fill, "dash": [drawn, gap]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
    ]


def _fixed(color: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
