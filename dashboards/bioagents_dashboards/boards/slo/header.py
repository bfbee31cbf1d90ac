"""The first rows: what is left, how fast it burns, which queues are to blame."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.boards.parts import NO_FLEET
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.identity import QUEUE, SLO
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
from bioagents_dashboards.queries import alerts, slo
from bioagents_dashboards.queries.slo import BURNS, Burn, Objective

_WAIT: Final = Objective.WAIT
_SUCCESS: Final = Objective.SUCCESS

#: Nothing is recorded: no job, or no rules.
NO_RECORD: Final = "no job, or no rules"

_COLUMNS: Final = {
    "fleet": "Fleet",
    "queue": "Queue",
    "Value #A": "Budget left",
    "Value #B": "Burn 1 h",
    "Value #C": "Burn 6 h",
    "Value #D": "Objective",
}


def _of_burn(burn: Burn, good: str = style.GOOD) -> build.ThresholdsConfig:
    """For a burn rate: above 1 it is too fast, from the alert's threshold on somebody has to look."""
    return style.thresholds(good, (1, style.WARN), (burn.threshold, style.BAD))


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet."""
    return [
        _left("Wait budget left", _WAIT, "jobs that start too late"),
        _left("Success budget left", _SUCCESS, "jobs that become dead letters"),
        _burn("Wait burn", _WAIT, "start too late"),
        _burn("Success burn", _SUCCESS, "become dead letters"),
        stat_panel(
            Text(
                "Queues overspent",
                "Queues that have used up more than the whole budget of three days, of either objective. "
                "Normal: 0. The tables below name them, the worst first.",
                NO_RECORD,
            ),
            Target(slo.overspent_queues()),
            unit="short",
            thresholds=style.any_is_bad(),
        ).span(4),
        stat_panel(
            Text(
                "SLO alerts",
                "Alerts of the objectives that fire now. Normal: 0.",
                NO_FLEET,
            ),
            Target(alerts.firing_alerts(SLO.uid)),
            unit="short",
            thresholds=style.any_is_bad(),
        ).span(4),
    ]


def _left(title: str, objective: Objective, bad: str) -> stat.Panel:
    text = Text(
        title,
        f"What is left of the budget for {bad}, over the last three days, for the queue that has the least. "
        "Normal: above 30 %. At 0 the queue fails as often as its objective just allows; below 0 it is "
        "overspent, and the budget of the month will not last.",
        NO_RECORD,
    )
    target = Target(slo.least_budget_left(objective))
    return stat_panel(text, target, unit="percentunit", thresholds=style.budget_left()).span(4)


def _burn(title: str, objective: Objective, bad: str) -> stat.Panel:
    text = Text(
        title,
        f"How many times as fast as allowed jobs {bad}: the lower of the rates over the last hour and over "
        "5 minutes, for the queue that burns fastest. Normal: below 1. From 14.4 on, 2 % of a month's "
        "budget go in an hour, and an alert pages once ten jobs are concerned. Empty while no job of five "
        "minutes is counted, as in a standstill: then see what is left of the budget.",
        "no job in 5 min, or no rules",
    )
    target = Target(slo.fastest_burn(objective, BURNS[0]))
    return stat_panel(text, target, unit="short", thresholds=_of_burn(BURNS[0])).span(4)


def late_queues() -> table.Panel:
    """One line for each queue, the least wait budget first."""
    text = Text(
        "Jobs start in time: worst queues",
        "One line for each queue, the one with the least budget first. The objective is the share of jobs "
        "that start within the time beside it; the budget is the rest of them, over three days. Normal: "
        "nothing coloured. A queue with few jobs may look bad for one of them: see how many were late. "
        "Click a queue to see why.",
        NO_RECORD,
    )
    panel = _queues(text, _WAIT, {"Late in 3 d": slo.bad_jobs(_WAIT), "Within": slo.wait_bound()})
    return column(panel, "Within", "s")


def dead_queues() -> table.Panel:
    """One line for each queue, the least success budget first."""
    text = Text(
        "Jobs succeed: worst queues",
        "One line for each queue, the one with the least budget first. The objective is the share of jobs "
        "that end without becoming dead letters; the budget is the rest of them, over three days. Normal: "
        "nothing coloured. A queue with few jobs may look bad for one of them: see how many died. Click a "
        "queue to see why.",
        NO_RECORD,
    )
    return _queues(text, _SUCCESS, {"Dead in 3 d": slo.bad_jobs(_SUCCESS)})


def _queues(text: Text, of: Objective, more: dict[str, str]) -> table.Panel:
    queries = (slo.budget_left(of), slo.burn_rate(of, "1h"), slo.burn_rate(of, "6h"), slo.objective(of))
    values = [Target(query) for query in (*queries, *more.values())]
    panel = table_panel(text, values, width=12, height=8)
    names = dict(zip(("Value #E", "Value #F"), more, strict=False))
    columns(panel, _COLUMNS | names, hide=("Time", "job"))
    column(panel, "Queue", "string", None, at_least(130), opens("Why?", QUEUE, fleet="Fleet", queue="Queue"))
    column(panel, "Budget left", "percentunit", style.budget_left("transparent"))
    for burn, name in zip(BURNS, ("Burn 1 h", "Burn 6 h"), strict=False):
        column(panel, name, "short", _of_burn(burn, "transparent"))
    column(panel, "Objective", "percentunit")
    column(panel, next(iter(more)), "short", None, model.DynamicConfigValue("decimals", 0))
    return sort_by(panel, "Budget left", highest_first=False)
