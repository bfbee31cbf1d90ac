"""What every board has around its panels: variables, links, annotations, time, identity."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import Identity
from bioagents_dashboards.drawing.legends import BY_QUEUE, FLEET
from bioagents_dashboards.drawing.panels import DATASOURCE
from bioagents_dashboards.drawing.variables import variables
from bioagents_dashboards.queries import alerts, workers

#: By which a board finds the others.
TAG: Final = "bioagents-monitor"


def board(identity: Identity) -> build.Dashboard:
    """An empty board that people cannot save over by accident, with what all of ours have."""
    built = build.Dashboard(identity.title).uid(identity.uid).description(identity.question)
    built.tags([TAG]).readonly().time("now-3h", "now").refresh("30s").timezone("browser")
    built.tooltip(model.DashboardCursorSync.CROSSHAIR)
    built.annotations([_firing_alerts(), _deployments(), _restarts()])
    return built.link(_other_boards()).variables(variables())


def _other_boards() -> build.DashboardLink:
    """Each of our boards, with what is chosen here."""
    link = build.DashboardLink("BioAgents boards").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.include_vars(include_vars=True).keep_time(keep_time=True).as_dropdown(as_dropdown=False)


def _firing_alerts() -> build.AnnotationQuery:
    annotation = _annotation("Firing alerts", style.BAD, alerts.alerts())
    return annotation.title_format("{{alertname}}").text_format(BY_QUEUE).tag_keys("severity")


def _deployments() -> build.AnnotationQuery:
    annotation = _annotation("Deployments", style.GOOD, workers.new_versions())
    return annotation.title_format("Version {{version}}").text_format(f"first seen in {FLEET}")


def _restarts() -> build.AnnotationQuery:
    annotation = _annotation("Restarts", style.NEUTRAL, workers.boots_by_host())
    return annotation.title_format("Workers started").text_format(f"{FLEET} on {{{{host}}}}")


def _annotation(name: str, color: str, expression: str) -> build.AnnotationQuery:
    annotation = build.AnnotationQuery().name(name).datasource(DATASOURCE).enable(enable=True)
    return annotation.icon_color(color).expr(expression).step("60s")
