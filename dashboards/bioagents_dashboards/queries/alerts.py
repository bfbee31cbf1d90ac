"""What fires, and since when: alerts of our rules, in the chosen fleets and queues or about none.

``board`` leaves those whose link leads to the board with this uid, ``named`` those with this in their names.
"""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import SERVES_QUEUE, TARGET, gauge
from bioagents_dashboards.queries.rules import alert_names

#: Says in one label what an alert is about, besides its queue; no alert has two of these labels.
DETAIL: Final = "detail"
DETAILS: Final = ("host", "queues", "actor", "cause", "source", "maxmemory_policy")

#: What Grafana takes in an address for everything that a variable offers.
_EVERY: Final = "All"
#: Labels of alerts that are about all: of a queue, of a fleet. ExporterTargetDown does not know the fleet.
_OF_ALL: Final = {"queue": "", "fleet": r"\\(unknown\\)|"}

#: Fires always, while the rules are loaded.
_WATCHDOG: Final = 'alertname="Watchdog", product="bioagents"'

#: An alert about a role names the queues of its workers.
_OF_ROLE: Final = f'queues=~"{SERVES_QUEUE}|"'

_BY_TARGET: Final = f"by ({', '.join(TARGET)})"


def alerts(*, board: str = "", named: str = "") -> str:
    """Those that fire: 1 for each.

    ``absent`` leaves alerts without a fleet.
    """
    return _series("ALERTS", 'alertstate="firing"', _names(board, named))


def while_rules_are_loaded(expression: str) -> str:
    """The same, nothing while this Prometheus has not loaded our rules."""
    return f"{expression} and on () {_series('ALERTS', _WATCHDOG)}"


def unless_rules_are_loaded(expression: str) -> str:
    """The same, nothing while this Prometheus has loaded our rules."""
    return f"{expression} unless on () {_series('ALERTS', _WATCHDOG)}"


def firing_alerts(board: str = "") -> str:
    """How many fire; 0 in a fleet that reports and has none, nothing while the rules are not loaded."""
    none = while_rules_are_loaded(f"max {_BY_TARGET} ({gauge('redis_up')})")
    return f"count {_BY_TARGET} ({alerts(board=board)}) or 0 * ({none})"


def firing_for(*, named: str = "") -> str:
    """Seconds since the first of the alerts that fire became true, by fleet; nothing while none fires."""
    return f"max {_BY_TARGET} ({_age(named=named)})"


def alert_age(*, board: str = "") -> str:
    """By DETAIL and whatever labels an alert has: seconds since each firing alert became true.

    An alert fires once it has been true for some time, so it has been true longer than it fires. What is
    about no queue, or no fleet, is about all of them: a link that takes this label chooses them.
    """
    details = ", ".join(f'"{label}"' for label in DETAILS)
    found = f'label_join({_age(board)}, "{DETAIL}", "", {details})'
    for label, none in _OF_ALL.items():
        found = f'label_replace({found}, "{label}", "{_EVERY}", "{label}", "{none}")'
    return found


def _age(board: str = "", named: str = "") -> str:
    since = _series("ALERTS_FOR_STATE", _names(board, named))
    return f"time() - ({since} and ignoring (alertstate) {alerts(board=board, named=named)})"


def _names(board: str, named: str) -> str:
    return f'alertname=~"{"|".join(name for name in alert_names(board) if named in name)}"'


def _series(name: str, *matchers: str) -> str:
    chosen = [f'{label}=~"${label}|{_OF_ALL.get(label, "")}"' for label in (*TARGET, "queue")]
    return f"{name}{{{', '.join([*matchers, *chosen, _OF_ROLE])}}}"
