"""Panels that stand on several boards."""

from __future__ import annotations

from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import QUEUE, Identity
from bioagents_dashboards.drawing.panels import (
    Target,
    Text,
    at_least,
    column,
    columns,
    opens,
    sort_by,
    stat_panel,
    table_panel,
)
from bioagents_dashboards.queries import alerts, redis

#: Those of a row, whatever they are.
Panels: TypeAlias = list[Builder[model.Panel]]

#: Instead of a number, where nothing at all is known of a fleet.
NO_EXPORTER: Final = "no exporter"
#: The same where the rules count.
NO_FLEET: Final = "no exporter, or no rules"

_ALERT_COLUMNS: Final = {
    "alertname": "Alert",
    "severity": "Severity",
    "fleet": "Fleet",
    "queue": "Queue",
    alerts.DETAIL: "Detail",
    "Value": "True for",
}


def redis_panel() -> stat.Panel:
    """Whether Redis is up."""
    panel = stat_panel(
        Text(
            "Redis",
            "Whether an exporter can read the fleet's Redis. Normal: up. While it is down, the other "
            "numbers are missing, not 0.",
            NO_EXPORTER,
        ),
        Target(redis.redis_up()),
        unit="bool_on_off",
        thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
    )
    return panel.mappings([style.value_text("1", "up", style.GOOD), style.value_text("0", "DOWN", style.BAD)])


def every_alert(*, width: int, height: int) -> table.Panel:
    """What fires in the chosen queues or about none."""
    text = Text(
        "Alerts",
        "Every alert of these rules that fires now, about the chosen queues or about none, and for how long "
        "its condition has been true. Normal: empty. Click an alert to read what it means and what to do, or "
        "its queue to see why that is slow.",
        "no alert fires, or the rules are not loaded",
    )
    return _alerts(text, width, height)


def alerts_of(board: Identity) -> table.Panel:
    """Those that lead to a board: their runbooks are the way on from it."""
    text = Text(
        "Alerts that lead here",
        "Every alert whose link leads to this board, about the chosen queues or about none, and for how long "
        "its condition has been true. Normal: empty. Click an alert to read what to do.",
        "none of them fires, or the rules are not loaded",
    )
    return _alerts(text, 24, 5, board.uid)


def _alerts(text: Text, width: int, height: int, board: str = "") -> table.Panel:
    panel = table_panel(text, [Target(alerts.alert_age(board=board))], width=width, height=height)
    columns(panel, _ALERT_COLUMNS, hide=("Time", "__name__", "alertstate", "job", *alerts.DETAILS))
    column(panel, "Alert", "string", None, at_least(190), _runbook("Alert"))
    slow = opens("Why is it slow?", QUEUE, fleet="Fleet", queue="Queue")
    column(panel, "Queue", "string", None, at_least(130), slow)
    column(panel, "True for", "s")
    return sort_by(panel, "True for")


def _runbook(name: str) -> model.DynamicConfigValue:
    """A link to the page of the alert that a column names."""
    url = f'${{runbooks:raw}}/${{__data.fields["{name}"]}}'
    return model.DynamicConfigValue("links", [{"title": "Runbook", "url": url, "targetBlank": True}])
