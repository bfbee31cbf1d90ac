"""``bioagents dashboards push`` and ``check``: read what Grafana has, decide, then write or tell."""
