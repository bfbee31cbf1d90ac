"""What every board has around its panels: variables, annotations, time, identity."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.boards import queries, style
from bioagents_dashboards.boards.panels import DATASOURCE

#: Matches any label that is there; "All" never has to list the values.
ALL: Final = ".+"

TAGS: Final = ("bioagents-monitor",)


def board(title: str, *, uid: str, description: str) -> build.Dashboard:
    """An empty board that people cannot save over by accident, with our variables and annotations."""
    built = build.Dashboard(title).uid(uid).description(description).tags(list(TAGS)).readonly()
    built.time("now-3h", "now").refresh("30s").timezone("browser")
    built.tooltip(model.DashboardCursorSync.CROSSHAIR)
    built.annotations([_firing_alerts()])
    return built.variables(_variables())


def _variables() -> list[Builder[model.VariableModel]]:
    source = build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return [
        source,
        _label("fleet", "Fleet", "The fleets of workers to show; they never add up.", "redis_up", "job"),
        _label("queue", "Queue", "The queues to show.", "queue_depth", "job", "fleet"),
        _label("job", "Job", "The Prometheus jobs that scrape exporters.", "redis_up"),
        _label(
            "instance",
            "Instance",
            "Copies of the exporter. All of them give one answer; choose one to compare it with the others.",
            "redis_up",
            "job",
        ),
    ]


def _label(name: str, label: str, description: str, source: str, *within: str) -> build.QueryVariable:
    query = queries.label_values(source, name, *within)
    variable = build.QueryVariable(name).label(label).description(description).datasource(DATASOURCE)
    variable.query({"query": query, "refId": name}).definition(query)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable.sort(model.VariableSort.ALPHABETICAL_ASC)
    variable.multi(multi=True).include_all(include_all=True).all_value(ALL)
    return variable.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))


def _firing_alerts() -> build.AnnotationQuery:
    annotation = build.AnnotationQuery().name("Firing alerts").datasource(DATASOURCE).enable(enable=True)
    annotation.icon_color(style.BAD).expr(queries.alerts()).step("60s")
    return annotation.title_format("{{alertname}}").text_format("{{fleet}} {{queue}}").tag_keys("severity")
