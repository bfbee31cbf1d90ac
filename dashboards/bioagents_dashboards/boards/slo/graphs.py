"""One objective over time: its budget, its burn rates by window, its bad jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_QUEUE, FLEET
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel
from bioagents_dashboards.queries import slo
from bioagents_dashboards.queries.slo import Burn, Objective

NO_JOB: Final = "no job in this time, or the rules are not loaded"


@dataclass(frozen=True, slots=True)
class _Words:
    """How to speak of an objective."""

    name: str
    bad: str  # "jobs that …"
    began: str  # what is counted
    remedy: str


_WORDS: Final = {
    Objective.WAIT: _Words(
        "Wait",
        "start too late",
        "start",
        "Look whether the queue has enough slots, and what its workers do.",
    ),
    Objective.SUCCESS: _Words(
        "Success",
        "become dead letters",
        "end",
        "Look at the exceptions of its actors before the dead letters are deleted.",
    ),
}
_PERIODS: Final = {"m": "min", "h": "h", "d": "d"}


def of(objective: Objective) -> Iterator[timeseries.Panel]:
    """The row of an objective."""
    yield _budget(objective)
    yield _jobs(objective)
    for burn in slo.BURNS:
        yield _burn(objective, burn)


def _budget(objective: Objective) -> timeseries.Panel:
    words = _WORDS[objective]
    panel = graph_panel(
        Text(
            f"{words.name} budget left over time",
            f"What is left of the budget for jobs that {words.bad}, over the three days before each moment, "
            "the ten queues with the least; nothing is drawn below -100 %. Normal: above 30 % and level. A "
            f"steep fall is a fault that goes on, a slow one an objective that does not fit. {words.remedy}",
            NO_JOB,
        ),
        [Target(slo.lowest_budgets(objective), BY_QUEUE)],
        unit="percentunit",
        thresholds=style.thresholds(style.BAD, (0, style.GOOD)),
    )
    return panel.min(-1).max(1)


def _jobs(objective: Objective) -> timeseries.Panel:
    words = _WORDS[objective]
    return graph_panel(
        Text(
            f"Jobs that {words.bad}",
            f"Jobs per second that {words.began}, and those of them that {words.bad}, over five minutes, the "
            f"ten queues with the most. Normal: the bad ones near 0. {words.remedy}",
            NO_JOB,
        ),
        [
            Target(slo.bad_rate(objective), BY_QUEUE + " bad"),
            Target(slo.all_rate(objective), BY_QUEUE + " all"),
        ],
        unit="ops",
    )


def _burn(objective: Objective, burn: Burn) -> timeseries.Panel:
    words = _WORDS[objective]
    long, short = _spoken(burn.long), _spoken(burn.short)
    alert = "pages" if burn.pages else "writes a ticket"
    return graph_panel(
        Text(
            f"{words.name} burn over {long} and {short}",
            f"How many times as fast as allowed jobs {words.bad}: the lower of the rates over {long} and "
            f"over {short}, the ten highest queues. Normal: below 1. Above {burn.threshold:g} (dashed, drawn "
            f"once half of it is reached) an alert {alert} if it concerns ten jobs. {words.remedy}",
            NO_JOB,
        ),
        [
            Target(slo.highest_burns(objective, burn), BY_QUEUE),
            Target(slo.burn_limit(objective, burn), FLEET + LIMIT),
        ],
        unit="short",
        width=6,
    )


def _spoken(window: str) -> str:
    return f"{window[:-1]} {_PERIODS[window[-1]]}"
