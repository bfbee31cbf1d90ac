"""``bioagents dashboards push``: read what Grafana has, decide, then write."""
