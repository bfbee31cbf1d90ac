"""A board and what each one has around its panels: variables, links, annotations, time range."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from bioagents_boards import shared, style
from bioagents_boards.alerts import alerts
from bioagents_boards.panels import BY_QUEUE, DATASOURCE, FLEET, Panel
from bioagents_boards.queries import TARGET, recorded, variable_selector

#: By which a board finds the others.
TAG: Final = "bioagents-monitor"

#: Where the alerts' runbooks are read by default: the exporter serves them.
RUNBOOKS: Final = "http://127.0.0.1:9877/runbooks"

#: "All" matches any value of a label that exists, without a list of its values.
_ALL: Final = ".+"
#: The same for labels that many installations do not have.
_ALL_OR_NONE: Final = ".*"


@dataclass(frozen=True, slots=True)
class Board:
    """Panels, first those above all rows, then by row. A changed ``uid`` breaks every link to a board."""

    uid: str
    title: str
    question: str
    panels: Sequence[Panel]
    rows: Mapping[str, Sequence[Panel]]

    @property
    def file_name(self) -> str:
        """The file in the folder of boards."""
        return f"{self.title.lower().replace(' ', '-')}.json"

    def to_json(self) -> dict[str, Any]:
        """Classic JSON; panels get ids by their place, so that links to a panel last."""
        built = json.loads(JSONEncoder().encode(self._build().build()))
        for number, panel in enumerate(built["panels"], start=1):
            panel["id"] = number
        return {"id": None, **built}

    def _build(self) -> build.Dashboard:
        built = build.Dashboard(self.title).uid(self.uid).description(self.question)
        built.tags([TAG]).readonly().time("now-3h", "now").refresh("30s").timezone("browser")
        built.tooltip(model.DashboardCursorSync.CROSSHAIR)
        built.annotations([_firing_alerts(), _deployments(), _restarts()])
        built.link(_other_boards()).variables(_variables())
        for panel in self.panels:
            built.with_panel(panel.draw())
        for title, panels in self.rows.items():
            built.with_row(build.Row(title))
            for panel in panels:
                built.with_panel(panel.draw())
        return built


def _other_boards() -> build.DashboardLink:
    """Every board of this product, with the variables and the time range of this one."""
    link = build.DashboardLink("BioAgents dashboards").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.include_vars(include_vars=True).keep_time(keep_time=True).as_dropdown(as_dropdown=False)


def _firing_alerts() -> build.AnnotationQuery:
    """Where each began to fire: drawn for as long as they fire, a few of them would hide what is below."""
    annotation = _annotation("Firing alerts", style.BAD, f"{alerts()} unless {alerts()} offset 1m")
    return annotation.title_format("{{alertname}}").text_format(BY_QUEUE).tag_keys("severity")


def _deployments() -> build.AnnotationQuery:
    """Versions that no worker ran a minute ago, in a fleet that had workers then."""
    now, before = (
        f"max without (queues, threads) ({recorded('role:bioagents_worker_info:count', ago=ago)})"
        for ago in ("", "1m")
    )
    new = f"({now} unless {before}) and on (job, {', '.join(TARGET)}) {before}"
    annotation = _annotation("Deployments", style.GOOD, new)
    return annotation.title_format("Version {{version}}").text_format(f"first seen in {FLEET}")


def _restarts() -> build.AnnotationQuery:
    started = f"({shared.starts_by_host()}) > 0"
    annotation = _annotation("Restarts", style.NEUTRAL, started)
    return annotation.title_format("Workers started").text_format(f"{FLEET} on {{{{host}}}}")


def _annotation(name: str, color: str, expression: str) -> build.AnnotationQuery:
    annotation = build.AnnotationQuery().name(name).datasource(DATASOURCE).enable(enable=True)
    return annotation.icon_color(color).expr(expression).step("60s")


def _variables() -> list[Builder[model.VariableModel]]:
    """The same on every board, so that a link carries them all."""
    source = build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    optional = "The {} that your Prometheus sets on its targets, if it does."
    return [
        source,
        _labels("fleet", "The fleets of workers to show; they are never added up.", "redis_up", "job"),
        *(
            _labels(name, optional.format(name), "redis_up", "job", "fleet", every=_ALL_OR_NONE)
            for name in ("region", "cluster", "environment")
        ),
        _labels("queue", "The queues to show.", "queue_depth", "job", "fleet"),
        _labels("actor", "The actors to show.", "jobs_processed_total", "job", "fleet", "queue"),
        _workers(),
        _labels("job", "The Prometheus jobs that scrape exporters.", "redis_up"),
        _labels(
            "instance",
            "Copies of the exporter. They all publish the same; a single one shows what it publishes itself, "
            "except in panels that read recording rules, which combine all copies.",
            "redis_up",
            "job",
        ),
        _runbooks(),
    ]


def _labels(name: str, description: str, source: str, *within: str, every: str = _ALL) -> build.QueryVariable:
    """The values of a label, ``within`` what other variables chose."""
    query = f"label_values({variable_selector(source, *within)}, {name})"
    return _choice(name, description, query, every)


def _workers() -> build.QueryVariable:
    """Shown as host:pid, chosen by the worker's id."""
    chosen = variable_selector("worker_info", "job", "fleet")
    query = f'query_result(max by (name, worker) (label_join({chosen}, "name", ":", "host", "pid")))'
    variable = _choice("worker", "The workers to show, by host and process.", query, _ALL)
    return variable.regex('/name="(?<text>[^"]+)", worker="(?<value>[^"]+)"/')


def _choice(name: str, description: str, query: str, every: str) -> build.QueryVariable:
    variable = build.QueryVariable(name).label(name.title()).description(description).datasource(DATASOURCE)
    variable.query({"query": query, "refId": name}).definition(query)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable.sort(model.VariableSort.ALPHABETICAL_ASC)
    variable.multi(multi=True).include_all(include_all=True).all_value(every)
    return variable.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))


def _runbooks() -> build.TextBoxVariable:
    variable = build.TextBoxVariable("runbooks").label("Runbooks").default_value(RUNBOOKS)
    variable.description("Address of the alerts' runbooks; an exporter serves them.")
    return variable.current(model.VariableOption(selected=True, text=RUNBOOKS, value=RUNBOOKS))
