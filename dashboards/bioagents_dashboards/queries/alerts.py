"""What fires, and since when: alerts of our rules, in the chosen fleets and queues or about none.

``board`` leaves those whose link leads to the board with this uid, ``named`` those with this in their names.
"""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import TARGET, gauge
from bioagents_dashboards.queries.rules import alert_names

#: Says in one label what an alert is about, besides its queue; no alert has two of these labels.
DETAIL: Final = "detail"
DETAILS: Final = ("host", "queues", "actor", "cause", "source", "maxmemory_policy")

#: What Grafana takes in an address for everything that a variable offers.
EVERY: Final = "All"

#: Fires always, while the rules are loaded.
_WATCHDOG: Final = 'alertname="Watchdog", product="bioagents"'


def alerts(*, board: str = "", named: str = "") -> str:
    """Those that fire: 1 for each.

    ``absent`` leaves alerts without a fleet.
    """
    return _series("ALERTS", 'alertstate="firing"', _names(board, named))


def firing_alerts(board: str = "") -> str:
    """How many fire; 0 in a fleet that reports and has none, nothing while the rules are not loaded."""
    loaded = f"max by (fleet) ({gauge('redis_up')}) and on () {_series('ALERTS', _WATCHDOG)}"
    return f"count by (fleet) ({alerts(board=board)}) or 0 * ({loaded})"


def firing_for(*, named: str = "") -> str:
    """Seconds since the first of the alerts that fire became true, by fleet; nothing while none fires."""
    return f"max by (fleet) ({_age(named=named)})"


def alert_age(*, board: str = "") -> str:
    """By DETAIL and whatever labels an alert has: seconds since each firing alert became true.

    An alert fires once it has been true for some time, so it has been true longer than it fires. What is
    about no queue, or no fleet, is about all of them: a link that takes this label chooses them.
    """
    details = ", ".join(f'"{label}"' for label in DETAILS)
    found = f'label_join({_age(board)}, "{DETAIL}", "", {details})'
    for label in ("queue", "fleet"):
        found = f'label_replace({found}, "{label}", "{EVERY}", "{label}", "")'
    return found


def _age(board: str = "", named: str = "") -> str:
    since = _series("ALERTS_FOR_STATE", _names(board, named))
    return f"time() - ({since} and ignoring (alertstate) {alerts(board=board, named=named)})"


def _names(board: str, named: str) -> str:
    return f'alertname=~"{"|".join(name for name in alert_names(board) if named in name)}"'


def _series(name: str, *matchers: str) -> str:
    chosen = (f'{label}=~"${label}|"' for label in (*TARGET, "queue"))
    return f"{name}{{{', '.join([*matchers, *chosen])}}}"
