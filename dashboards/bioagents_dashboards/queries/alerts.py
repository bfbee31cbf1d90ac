"""What fires, and since when."""

from __future__ import annotations

from bioagents_dashboards.queries.promql import TARGET, gauge
from bioagents_dashboards.queries.rules import alert_names


def alerts(state: str = "firing", *, series: str = "ALERTS") -> str:
    """Alerts of our rules, in the chosen fleets or without a fleet (as ``absent`` leaves them)."""
    matchers = [f'alertstate="{state}"'] if series == "ALERTS" else []
    matchers.append(f'alertname=~"{"|".join(alert_names())}"')
    matchers += [f'{label}=~"${label}|"' for label in TARGET]
    return f"{series}{{{', '.join(matchers)}}}"


def firing_alerts() -> str:
    """How many alerts fire, 0 in a fleet that reports and has none."""
    return f"count by (fleet) ({alerts()}) or 0 * max by (fleet) ({gauge('redis_up')})"


def firing_for() -> str:
    """Seconds since the first of the alerts that fire became true, by fleet; nothing while none fires."""
    return f"max by (fleet) ({alert_age()})"


def alert_age() -> str:
    """Seconds since each firing alert became true."""
    return f"time() - ({alerts(series='ALERTS_FOR_STATE')} and ignoring (alertstate) {alerts()})"
