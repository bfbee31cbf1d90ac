"""The board "SLO": objectives of each queue and their error budgets, from what the rules record.

A burn rate is the share of bad jobs divided by the share that is allowed. At 1 the budget of a window is used
up exactly when the window ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bioagents_alerts.boards import QUEUE, SLO
from bioagents_alerts.objectives import BURNS, Burn
from bioagents_boards import shared
from bioagents_boards.alerts import alerts_of, number_of_alerts
from bioagents_boards.frame import Board
from bioagents_boards.panels import BY_QUEUE, FLEET, OF_QUEUE, THRESHOLD, Graph, Stat, Target
from bioagents_boards.queries import bottom, highest, lowest, near_threshold, top, unnamed
from bioagents_boards.style import (
    ANY_IS_BAD,
    BAD,
    CLEAR,
    GOOD,
    JOBS,
    WARN,
    Thresholds,
    budget_left,
    thresholds,
)
from bioagents_boards.tables import Label, Table, Value, link


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """An objective as the dashboard shows it: its recorded series, and the texts about it."""

    name: str  # in recorded series
    title: str
    table: str
    promise: str
    bad: str  # jobs that …
    short: str  # so many are bad in the table
    counted: str  # jobs that …
    remedy: str

    def recorded(self, series: str) -> str:
        """BY_QUEUE: what the rules record of this objective."""
        return shared.of_queues(f"{self.name}_slo{series}")

    def bad_share(self, window: str) -> str:
        """BY_QUEUE: the share of bad jobs in a window."""
        return self.recorded(f"_errors:ratio_rate{window}")

    @property
    def allowed(self) -> str:
        """BY_QUEUE: the share of bad jobs that is allowed."""
        return f"(1 - {self.recorded(':objective')})"

    def burn_rate(self, window: str) -> str:
        """BY_QUEUE: how many times as fast as allowed the budget burns; nothing without jobs."""
        return f"{self.bad_share(window)} / {self.allowed}"

    def alerting(self, burn: Burn) -> str:
        """BY_QUEUE: the lower of the burn rates over both windows, which an alert compares."""
        long, short = self.bad_share(burn.long), self.bad_share(burn.short)
        return f"(({long} <= {short}) or {short}) / {self.allowed}"

    @property
    def budget_left(self) -> str:
        """BY_QUEUE: the rest of the budget of three days; below 0 it is overspent."""
        return f"1 - {self.burn_rate(_BUDGET)}"


WAIT: Final = ObjectiveView(
    name="wait",
    title="Wait",
    table="Jobs start in time: worst queues",
    promise="start within the time in the last column",
    bad="start too late",
    short="Late in 3 d",
    counted="start",
    remedy="See whether the queue has enough slots, and what its workers do.",
)
SUCCESS: Final = ObjectiveView(
    name="success",
    title="Success",
    table="Jobs succeed: worst queues",
    promise="end without becoming dead letters",
    bad="become dead letters",
    short="Dead in 3 d",
    counted="end",
    remedy="See the exceptions of its actors before the dead letters are deleted.",
)
_FASTEST, _FAST, *_ = BURNS
#: The longest window of the rules: the rest of the budget is that of this window.
_BUDGET: Final = "3d"
_PERIODS: Final = {"m": "min", "h": "h", "d": "d"}

_NO_RECORD: Final = "no job, or rules not loaded"
_NO_JOB: Final = "no job in this time, or the rules are not loaded"

#: BY_QUEUE: the lower rest of both budgets, or the one that is known.
BUDGET_LEFT_OF_BOTH: Final = (
    f"({WAIT.budget_left} <= {SUCCESS.budget_left}) or ({SUCCESS.budget_left}) or ({WAIT.budget_left})"
)


def _burning(burn: Burn, good: str = GOOD) -> Thresholds:
    """Above 1 a burn rate is too fast; from its threshold on an alert fires."""
    return thresholds(good, (1, WARN), (burn.threshold, BAD))


def _left(of: ObjectiveView) -> Stat:
    return Stat(
        f"{of.title} budget left",
        f"Remaining error budget for jobs that {of.bad}, over the last three days, of the queue with the "
        "least. Normal: above 30 %. At 0 the queue fails exactly as often as its objective allows; below 0 "
        f"it is overspent. {of.remedy}",
        lowest(of.budget_left, "queue"),
        which=OF_QUEUE,
        unit="percentunit",
        thresholds=budget_left(),
        width=4,
        empty=_NO_RECORD,
    )


def _fastest(of: ObjectiveView) -> Stat:
    return Stat(
        f"{of.title} burn rate",
        f"Burn rate of the {of.title.lower()} SLO: error rate divided by the allowed rate; the lower of the "
        "rates over the last hour and over 5 minutes, of the queue with the fastest. Normal: below 1. From "
        "14.4, 2 % of a month's budget burn in an hour, and an alert pages once ten jobs violate the SLO. "
        "Empty while no job of five minutes counts: see the budget then.",
        highest(of.alerting(_FASTEST), "queue"),
        which=OF_QUEUE,
        thresholds=_burning(_FASTEST),
        width=4,
        empty="no job in 5 min, or rules not loaded",
    )


_STATS: Final = (
    _left(WAIT),
    _left(SUCCESS),
    _fastest(WAIT),
    _fastest(SUCCESS),
    Stat(
        "Overspent queues",
        "Queues that have used more than the whole budget of three days of either objective. Normal: 0. The "
        "tables below show them, the worst first.",
        f"sum without (queue) (({BUDGET_LEFT_OF_BOTH}) < bool 0)",
        thresholds=ANY_IS_BAD,
        width=4,
        empty=_NO_RECORD,
    ),
    number_of_alerts(
        "SLO alerts",
        "Alerts about the objectives that fire now. Normal: 0. The table below links to their runbooks.",
        board=SLO,
        width=4,
    ),
)


def _known(of: ObjectiveView, series: str) -> str:
    """BY_QUEUE: of queues with a budget; without jobs there is none, and such rows would come first."""
    return unnamed(f"{of.recorded(series)} and {of.budget_left}")


def _queues(of: ObjectiveView, *more: Value) -> Table:
    left = f"{of.title} budget left"
    return Table(
        of.table,
        "One row for each queue, the one with the least budget first. The objective is the share of jobs "
        f"that {of.promise}; the error budget is the remaining share, over three days. Normal: nothing "
        "coloured. A queue with few jobs may look bad because of one violation: see how many there were. "
        "Click a queue to find out why it is slow.",
        [
            Label("Fleet", label="fleet"),
            Label(
                "Queue",
                label="queue",
                links=[link("Why?", QUEUE, fleet="Fleet", queue="Queue")],
            ),
            Value(left, query=of.budget_left, unit="percentunit", thresholds=budget_left(CLEAR)),
            Value(
                f"{of.title} burn 1 h",
                query=of.burn_rate(_FASTEST.long),
                thresholds=_burning(_FASTEST, CLEAR),
            ),
            Value(f"{of.title} burn 6 h", query=of.burn_rate(_FAST.long), thresholds=_burning(_FAST, CLEAR)),
            Value(f"{of.title} objective", query=_known(of, ":objective"), unit="percentunit"),
            Value(of.short, query=_known(of, f"_errors:increase{_BUDGET}"), whole=True),
            *more,
        ],
        empty=_NO_RECORD,
        sort=left,
        highest_first=False,
        height=6,
    )


def _row(of: ObjectiveView) -> Iterator[Graph]:
    yield Graph(
        f"{of.title} budget left over time",
        f"Remaining error budget for jobs that {of.bad}, over the three days before each moment, the ten "
        "queues with the least; nothing is drawn below -100 %. Normal: above 30 % and level. A steep fall "
        f"is a fault that continues, a slow one an objective that does not fit. {of.remedy}",
        [Target(bottom(f"clamp_min({of.budget_left}, -1)"), BY_QUEUE)],
        unit="percentunit",
        thresholds=thresholds(BAD, (0, GOOD)),
        minimum=-1,
        maximum=1,
        width=12,
        empty=_NO_JOB,
    )
    yield Graph(
        f"Jobs that {of.bad}",
        f"Jobs per second that {of.counted}, and those of them that {of.bad}, over five minutes, the ten "
        f"queues with the most. Normal: violations near 0. {of.remedy}",
        [
            Target(top(of.recorded("_errors:rate5m")), BY_QUEUE + " SLO violations"),
            Target(top(of.recorded("_events:rate5m")), BY_QUEUE + " all"),
        ],
        unit=JOBS,
        width=12,
        empty=_NO_JOB,
    )
    yield from (_burn(of, burn) for burn in BURNS)


def _burn(of: ObjectiveView, burn: Burn) -> Graph:
    long, short = (f"{window[:-1]} {_PERIODS[window[-1]]}" for window in (burn.long, burn.short))
    alert = "pages" if burn.pages else "opens a ticket"
    return Graph(
        f"{of.title} burn rate, {long} and {short}",
        f"Burn rate of the {of.title.lower()} SLO: error rate divided by the allowed rate; the lower of the "
        f"rates over {long} and over {short}, top 10 queues. Normal: below 1. Above {burn.threshold:g} "
        f"(dashed, from half of it) an alert {alert} if at least ten jobs violate the SLO. {of.remedy}",
        [
            Target(top(of.alerting(burn)), BY_QUEUE),
            Target(near_threshold(of.alerting(burn), burn.threshold, "queue"), FLEET + THRESHOLD),
        ],
        width=6,
        empty=_NO_JOB,
    )


_BOUND: Final = Value(
    "Within",
    query=unnamed(f"{shared.of_queues('wait_slo_bound_seconds:max')} and {WAIT.budget_left}"),
    unit="s",
)

SLO_BOARD: Final = Board(
    SLO,
    "SLO",
    "How much of the error budget is left, and how fast does it burn?",
    [*_STATS, _queues(WAIT, _BOUND), _queues(SUCCESS), alerts_of(SLO)],
    {
        "Wait: jobs start in time": [*_row(WAIT)],
        "Success: jobs do not become dead letters": [*_row(SUCCESS)],
    },
)
