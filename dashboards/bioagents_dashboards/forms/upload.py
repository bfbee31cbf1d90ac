"""For the import screen and grafana.com: Grafana asks whoever imports a board for its data source."""

from __future__ import annotations

import json
from typing import Final

from bioagents_dashboards.forms.classic import DATASOURCE, Json

#: What Grafana replaces, wherever it stands, by the uid of the data source that a person chooses.
INPUT: Final = "DS_PROMETHEUS"

#: The first Grafana that writes this schemaVersion itself; others migrate it when they open a board.
GRAFANA: Final = "12.2.0"

_PROMETHEUS: Final = {"id": "prometheus", "name": "Prometheus"}
_PANELS: Final = {
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "timeseries": "Time series",
}


def uploadable(board: Json) -> Json:
    """The board with the input in place of the variable, and with what it needs of Grafana.

    KeyError for a type of panel that no board had before.
    """
    text = json.dumps(board)
    # Links carry the variable from board to board; here there is none to carry.
    text = text.replace(f"${{{DATASOURCE}:queryparam}}&", "").replace(f"${{{DATASOURCE}}}", f"${{{INPUT}}}")
    built = json.loads(text)
    variables = built["templating"]["list"]
    built["templating"]["list"] = [one for one in variables if one["type"] != "datasource"]
    kinds = {panel["type"] for panel in built["panels"]} - {"row"}
    return {**built, "__inputs": [_asked()], "__requires": _needed(kinds)}


def _asked() -> Json:
    return {
        "name": INPUT,
        "label": "Prometheus",
        "description": "The Prometheus that scrapes the exporter and runs our rules.",
        "type": "datasource",
        "pluginId": _PROMETHEUS["id"],
        "pluginName": _PROMETHEUS["name"],
    }


def _needed(kinds: set[str]) -> list[Json]:
    needed: list[Json] = [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": GRAFANA},
        {"type": "datasource", **_PROMETHEUS, "version": "1.0.0"},
    ]
    needed += [{"type": "panel", "id": kind, "name": _PANELS[kind], "version": ""} for kind in sorted(kinds)]
    return needed
