"""What fires and since when: this product's alerts, for the chosen fleets and queues or about none.

An alert carries ``product`` and the uid of its board, so a board asks for its own alerts without their names.
"""

from __future__ import annotations

from typing import Final

from bioagents_alerts.boards import QUEUE
from bioagents_boards.panels import Stat
from bioagents_boards.queries import SERVES_QUEUE, TARGET, gauge
from bioagents_boards.style import ANY_IS_BAD
from bioagents_boards.tables import Label, Table, Value, link, runbook

#: Instead of a number, where neither the exporter nor the rules are known.
NO_FLEET: Final = "no exporter, or rules not loaded"

#: Describes in one label what an alert is about, besides its queue; no alert has two of these labels.
_DETAIL: Final = "detail"
_DETAILS: Final = ("host", "queues", "actor", "cause", "source", "maxmemory_policy")

#: What Grafana takes in an address for everything that a variable offers.
_EVERY: Final = "All"
#: Values of labels of alerts that concern a whole fleet, or every fleet: ``absent`` leaves no fleet.
_OF_ALL: Final = {"queue": "", "fleet": r"\\(unknown\\)|"}

#: ``severity`` none: the Watchdog always fires and means no fault.
_OURS: Final = ('product="bioagents"', 'severity!="none"')

#: An alert about a group of workers names the queues that they consume.
_OF_QUEUES: Final = f'queues=~"{SERVES_QUEUE}|"'

_BY_TARGET: Final = f"by ({', '.join(TARGET)})"


def alerts(board: str = "") -> str:
    """1 for each firing alert; ``board`` leaves those of a board's uid."""
    return _series("ALERTS", *_OURS, 'alertstate="firing"', *_narrowed(board))


def firing_alerts(board: str = "") -> str:
    """How many fire; 0 in a fleet that reports and has none, nothing while the rules are not loaded."""
    none = f"0 * max {_BY_TARGET} ({gauge('redis_up')})"
    return f"count {_BY_TARGET} ({alerts(board)}) or {none}"


def firing_for(board: str = "") -> str:
    """By fleet: seconds since the first firing alert, of a board if given, became true; else nothing.

    It has the labels of that alert.
    """
    return f"topk {_BY_TARGET} (1, {_age(board)})"


def alert_age(board: str = "") -> str:
    """By detail and the labels of each alert: seconds since each firing alert became true.

    An alert fires once it has been true for some time, so it has been true for longer than it fires. What
    concerns no queue, or no fleet, concerns all of them: a link that takes this label chooses them.
    """
    details = ", ".join(f'"{label}"' for label in _DETAILS)
    found = f'label_join({_age(board)}, "{_DETAIL}", "", {details})'
    for label, none in _OF_ALL.items():
        found = f'label_replace({found}, "{label}", "{_EVERY}", "{label}", "{none}")'
    return found


def every_alert(*, height: int) -> Table:
    """All firing alerts of the chosen queues, or about none."""
    return _table(
        "Alerts",
        "Firing alerts about the chosen queues or about none, and for how long the condition of each has "
        "been true. Normal: empty. Click an alert to open its runbook, or its queue to find out why that "
        "is slow.",
        alert_age(),
        height,
    )


def alerts_of(board: str) -> Table:
    """The firing alerts whose board this is."""
    return _table(
        "Alerts of this dashboard",
        "Firing alerts that link to this dashboard, about the chosen queues or about none, and for how long "
        "the condition of each has been true. Normal: empty. Click an alert to open its runbook.",
        alert_age(board),
        5,
    )


def number_of_alerts(title: str, description: str, *, board: str = "", width: int = 6) -> Stat:
    """How many fire."""
    query = firing_alerts(board)
    return Stat(title, description, query, empty=NO_FLEET, thresholds=ANY_IS_BAD, width=width)


def _table(title: str, description: str, query: str, height: int) -> Table:
    slow = link("Why is it slow?", QUEUE, fleet="Fleet", queue="Queue")
    return Table(
        title,
        description,
        [
            Label("Alert", label="alertname", links=[runbook("Alert")], width=190),
            Label("Severity", label="severity", width=85),
            Label("Fleet", label="fleet"),
            Label("Queue", label="queue", links=[slow]),
            Label("Detail", label=_DETAIL),
            Value("True for", query=query, unit="s"),
        ],
        empty="no alert fires, or the rules are not loaded",
        sort="True for",
        hide=("alertstate", "product", "board", *_DETAILS),
        height=height,
    )


def _age(board: str) -> str:
    since = _series("ALERTS_FOR_STATE", *_OURS, *_narrowed(board))
    return f"time() - ({since} and ignoring (alertstate) {alerts(board)})"


def _narrowed(board: str) -> list[str]:
    return [f'board="{board}"'] if board else []


def _series(name: str, *matchers: str) -> str:
    chosen = [f'{label}=~"${label}|{_OF_ALL.get(label, "")}"' for label in (*TARGET, "queue")]
    return f"{name}{{{', '.join([*matchers, *chosen, _OF_QUEUES])}}}"
