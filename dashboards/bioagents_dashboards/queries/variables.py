"""What the variables of a board offer to choose from, in Grafana's own functions around PromQL."""

from __future__ import annotations

from bioagents_dashboards.queries.promql import variable_selector


def label_values(name: str, label: str, *within: str) -> str:
    """The values of a label, ``within`` what other variables chose."""
    return f"label_values({variable_selector(name, *within)}, {label})"


def workers_by_name() -> str:
    """Workers as ``name`` (host:pid) and ``worker`` (id), to be taken apart by a regular expression."""
    chosen = variable_selector("worker_info", "job", "fleet")
    return f'query_result(max by (name, worker) (label_join({chosen}, "name", ":", "host", "pid")))'
