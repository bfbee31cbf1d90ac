"""``bioagents dashboards push`` and ``check``: read the state of a Grafana, plan, then apply or report."""
