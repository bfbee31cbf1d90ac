"""Whether Redis is sound."""

from __future__ import annotations

from bioagents_dashboards.queries.promql import gauge


def redis_up() -> str:
    """1 while at least one copy of the exporter reads Redis."""
    return gauge("redis_up")
