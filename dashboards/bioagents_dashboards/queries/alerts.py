"""What fires, and since when."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import TARGET, gauge
from bioagents_dashboards.queries.rules import alert_names

#: Says in one label what an alert is about, besides its queue; no alert has two of these labels.
DETAIL: Final = "detail"
DETAILS: Final = ("host", "queues", "actor", "cause", "source", "maxmemory_policy")


def alerts(state: str = "firing", *, series: str = "ALERTS", named: str = "") -> str:
    """Alerts of our rules with ``named`` in their names, in the chosen fleets or without one.

    ``absent`` leaves alerts without a fleet.
    """
    names = [name for name in alert_names() if named in name]
    matchers = [f'alertstate="{state}"'] if series == "ALERTS" else []
    matchers.append(f'alertname=~"{"|".join(names)}"')
    matchers += [f'{label}=~"${label}|"' for label in TARGET]
    return f"{series}{{{', '.join(matchers)}}}"


def firing_alerts(named: str = "") -> str:
    """How many alerts fire, 0 in a fleet that reports and has none."""
    return f"count by (fleet) ({alerts(named=named)}) or 0 * max by (fleet) ({gauge('redis_up')})"


def firing_for() -> str:
    """Seconds since the first of the alerts that fire became true, by fleet; nothing while none fires."""
    return f"max by (fleet) ({_age()})"


def alert_age(named: str = "") -> str:
    """By DETAIL and whatever labels an alert has: seconds since each firing alert became true."""
    details = ", ".join(f'"{label}"' for label in DETAILS)
    return f'label_join({_age(named)}, "{DETAIL}", "", {details})'


def _age(named: str = "") -> str:
    since = alerts(series="ALERTS_FOR_STATE", named=named)
    return f"time() - ({since} and ignoring (alertstate) {alerts(named=named)})"
