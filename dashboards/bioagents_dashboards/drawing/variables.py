"""The variables, the same on every board, so that a link carries them all."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.drawing.panels import DATASOURCE
from bioagents_dashboards.queries.variables import label_values, workers_by_name

#: "All" matches any label that is there, without a list of its values.
ALL: Final = ".+"
#: The same for labels that many installations do not have.
ALL_OR_NONE: Final = ".*"

#: Where the alerts' runbooks are read by default: the exporter serves them.
RUNBOOKS: Final = "http://127.0.0.1:9877/runbooks"


def variables() -> list[Builder[model.VariableModel]]:
    """All of them; every one that chooses series may choose several."""
    source = build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return [
        source,
        _labels("fleet", "Fleet", "The fleets of workers to show; they never add up.", "redis_up", "job"),
        *(
            _labels(name, name.title(), f"The {name} that your Prometheus puts on its targets, if it does.",
                    "redis_up", "job", "fleet", every=ALL_OR_NONE)
            for name in ("region", "cluster", "environment")
        ),
        _labels("queue", "Queue", "The queues to show.", "queue_depth", "job", "fleet"),
        _labels("actor", "Actor", "The actors to show.", "jobs_processed_total", "job", "fleet", "queue"),
        _workers(),
        _labels("job", "Job", "The Prometheus jobs that scrape exporters.", "redis_up"),
        _labels("instance", "Instance", "Copies of the exporter. All of them give one answer; one alone "
                "shows what it publishes, but not in what rules make of all copies.", "redis_up", "job"),
        build.TextBoxVariable("runbooks")
        .label("Runbooks")
        .description("Address under which the alerts' runbooks are read; an exporter serves them.")
        .default_value(RUNBOOKS)
        .current(model.VariableOption(selected=True, text=RUNBOOKS, value=RUNBOOKS)),
    ]  # fmt: skip


def _labels(
    name: str, label: str, description: str, source: str, *within: str, every: str = ALL
) -> build.QueryVariable:
    return _choice(name, label, description, label_values(source, name, *within), every)


def _workers() -> build.QueryVariable:
    """Shown as host:pid, chosen by the worker's id."""
    variable = _choice(
        "worker", "Worker", "The workers to show, by host and process.", workers_by_name(), ALL
    )
    return variable.regex('/name="(?<text>[^"]+)", worker="(?<value>[^"]+)"/')


def _choice(name: str, label: str, description: str, query: str, every: str) -> build.QueryVariable:
    variable = build.QueryVariable(name).label(label).description(description).datasource(DATASOURCE)
    variable.query({"query": query, "refId": name}).definition(query)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable.sort(model.VariableSort.ALPHABETICAL_ASC)
    variable.multi(multi=True).include_all(include_all=True).all_value(every)
    return variable.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
