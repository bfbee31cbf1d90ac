"""Objectives of each queue and their error budgets, from what the rules record (alerts/rules/slo.yml).

A burn rate is the share of bad jobs divided by the share that is allowed. At 1 the budget of a window is used
up just when the window ends. ``BY_QUEUE`` queries give one series for each queue, the others one for each
fleet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bioagents_dashboards.queries.promql import TOP, bottom, near_threshold, recorded, top, unnamed


class Objective(StrEnum):
    """What is promised: jobs start in time, or do not become dead letters."""

    WAIT = "wait"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Burn:
    """A pair of windows, and the burn rate over both from which on an alert begins."""

    long: str
    short: str
    threshold: float
    pages: bool


#: As the alerts have them.
BURNS: Final = (
    Burn("1h", "5m", 14.4, pages=True),
    Burn("6h", "30m", 6, pages=True),
    Burn("1d", "2h", 3, pages=False),
    Burn("3d", "6h", 1, pages=False),
)
#: The longest window of the rules: what is left of the budget is said of it.
BUDGET: Final = "3d"


def burn_rate(objective: Objective, window: str) -> str:
    """BY_QUEUE: how many times as fast as it may the budget burns; nothing without jobs."""
    return f"{_bad_share(objective, window)} / {_allowed(objective)}"


def alerting_burn(objective: Objective, burn: Burn) -> str:
    """BY_QUEUE: the lower of the burn rates over both windows, which is what an alert compares."""
    long, short = (_bad_share(objective, window) for window in (burn.long, burn.short))
    return f"(({long} <= {short}) or {short}) / {_allowed(objective)}"


def fastest_burn(objective: Objective, burn: Burn) -> str:
    """The highest of them."""
    return f"max without (queue) ({alerting_burn(objective, burn)})"


def highest_burns(objective: Objective, burn: Burn) -> str:
    """BY_QUEUE: the same, the queues with the highest."""
    return top(TOP, alerting_burn(objective, burn))


def burn_limit(objective: Objective, burn: Burn) -> str:
    """The burn rate from which on an alert begins, where it matters."""
    return near_threshold(alerting_burn(objective, burn), burn.threshold, "queue")


def budget_left(objective: Objective) -> str:
    """BY_QUEUE: what is left of the budget of three days; below 0 it is overspent."""
    return f"1 - {burn_rate(objective, BUDGET)}"


def least_budget_left(objective: Objective) -> str:
    """What is left to the queue that has the least."""
    return f"min without (queue) ({budget_left(objective)})"


def lowest_budgets(objective: Objective) -> str:
    """BY_QUEUE: what is left, -1 at the lowest so that it can be drawn, of the queues that have the least."""
    return bottom(TOP, f"clamp_min({budget_left(objective)}, -1)")


def budget_left_of_both() -> str:
    """BY_QUEUE: the lower of what both objectives have left, or the one that is known."""
    wait, success = budget_left(Objective.WAIT), budget_left(Objective.SUCCESS)
    return f"({wait} <= {success}) or ({success}) or ({wait})"


def overspent_queues() -> str:
    """How many queues have overspent one of their budgets."""
    return f"sum without (queue) (({budget_left_of_both()}) < bool 0)"


def objective(of: Objective) -> str:
    """BY_QUEUE: the share of good jobs that is promised."""
    return unnamed(_objective(of))


def wait_bound() -> str:
    """BY_QUEUE: within how many seconds a job has to start."""
    return unnamed(recorded("queue:bioagents_wait_slo_bound_seconds:max", "queue"))


def bad_jobs(of: Objective) -> str:
    """BY_QUEUE: bad jobs of three days."""
    return unnamed(recorded(f"queue:bioagents_{of}_slo_errors:increase{BUDGET}", "queue"))


def bad_rate(of: Objective) -> str:
    """BY_QUEUE: bad jobs per second, the queues with the most."""
    return top(TOP, recorded(f"queue:bioagents_{of}_slo_errors:rate5m", "queue"))


def all_rate(of: Objective) -> str:
    """BY_QUEUE: jobs per second of which the objective speaks, the queues with the most."""
    return top(TOP, recorded(f"queue:bioagents_{of}_slo_events:rate5m", "queue"))


def _bad_share(of: Objective, window: str) -> str:
    return recorded(f"queue:bioagents_{of}_slo_errors:ratio_rate{window}", "queue")


def _allowed(of: Objective) -> str:
    return f"(1 - {_objective(of)})"


def _objective(of: Objective) -> str:
    return recorded(f"queue:bioagents_{of}_slo:objective", "queue")
