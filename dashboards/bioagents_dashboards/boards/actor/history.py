"""Graphs that put actors beside what they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.drawing.legends import BY_ACTOR
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel

_WHEN: Final = {"": "now", "1d": "1 day before", "1w": "1 week before"}


def beside_history(text: Text, of: Callable[[str], str], *, unit: str) -> timeseries.Panel:
    """Now as a line, the same time a day and a week before as dots; ``of`` makes a query of how long ago."""
    targets = [Target(of(ago), f"{BY_ACTOR} {when}") for ago, when in _WHEN.items()]
    panel = graph_panel(text, targets, unit=unit)
    dots = [
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dot", "dash": [2, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
    ]
    return panel.override_by_regexp("/ before$/", dots)
