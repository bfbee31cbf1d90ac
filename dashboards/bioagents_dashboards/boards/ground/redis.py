"""Redis: what it is, how full, how fast, and whether its replicas follow."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import statetimeline, table, timeseries

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_COPY, FLEET
from bioagents_dashboards.drawing.panels import (
    LIMIT,
    Target,
    Text,
    column,
    columns,
    graph_panel,
    table_panel,
    timeline_panel,
)
from bioagents_dashboards.queries import redis

#: Names one copy of the exporter, where a panel shows them apart.
NO_REPLICA: Final = "no copy of the exporter reads a replica"

_COLUMNS: Final = {
    "fleet": "Fleet",
    "role": "Role",
    "software": "Software",
    "version": "Version",
    "mode": "Mode",
    "maxmemory_policy": "When full",
    "aof": "AOF",
}


def panels() -> Panels:
    """The row about Redis."""
    return [_servers(), _up(), _memory(), _round_trip(), _evictions(), _links(), _lag()]


def _servers() -> table.Panel:
    text = Text(
        "Servers",
        "What the copies of the exporter read: one line for each kind of server. Normal: one line, or one "
        "for the primary and one for its replicas. When full it does noeviction or volatile-…; under "
        "allkeys-… it deletes jobs. Without an append-only file (AOF) a restart of Redis loses what came "
        "after its last snapshot.",
        "Redis is down",
    )
    panel = table_panel(text, [Target(redis.servers())], width=12, height=6)
    columns(panel, _COLUMNS, hide=("Time", "job", "Value"))
    names = [style.value_text("master", "primary"), style.value_text("slave", "replica")]
    column(panel, "Role", "string", None, style.mapped(*names))
    unsafe = style.mapped(style.pattern_text("^allkeys-.*$", style.BAD))
    column(panel, "When full", "string", style.thresholds("transparent"), unsafe)
    return panel


def _up() -> statetimeline.Panel:
    panel = timeline_panel(
        Text(
            "Redis as each copy sees it",
            "Each copy of the exporter by itself, ten at most: whether it could read Redis. Normal: every "
            "bar whole and blue. One bar vermilion is that copy's network or password, all of them are "
            "Redis; a gap is a copy that did not answer.",
            "no exporter",
        ),
        Target(redis.up_for_each_copy(), BY_COPY),
        unit="bool_on_off",
        thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
    )
    panel.mappings([style.value_text("1", "up", style.GOOD), style.value_text("0", "DOWN", style.BAD)])
    return panel.height(6)


def _memory() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Memory",
            "Memory that Redis uses, and its limit (maxmemory, dashed), which is drawn once half of it is "
            "used. Normal: it follows the number of jobs in Redis. If it climbs while queues do not, "
            "results, dead letters or somebody else's keys fill it.",
            "Redis is down",
        ),
        [Target(redis.memory_used(), FLEET + " used"), Target(redis.memory_limit(), FLEET + LIMIT)],
        unit="bytes",
        width=8,
    )


def _round_trip() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Round trip of each copy",
            "How long Redis takes to answer one request, for each copy of the exporter by itself, the ten "
            "slowest. The dashed limit, where the alert RedisSlow begins, is drawn once half of it is "
            "reached. Normal: a few milliseconds. One slow copy is its network, all of them are Redis.",
            "Redis is down",
        ),
        [
            Target(redis.round_trip_of_each_copy(), BY_COPY),
            Target(redis.slow_limit(), FLEET + LIMIT),
        ],
        unit="s",
        width=8,
    )


def _evictions() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Evictions over time",
            "Keys per second that Redis throws away for want of memory. Normal: 0 all the time. Under a "
            "policy allkeys-… every rise has cost jobs.",
            "Redis is down",
        ),
        [Target(redis.evictions())],
        unit="ops",
        width=8,
        thresholds=style.more_than_none(),
    )


def _links() -> statetimeline.Panel:
    panel = timeline_panel(
        Text(
            "Replication link of each copy",
            "For each copy of the exporter that reads a replica, ten at most: whether that replica is "
            "connected to its primary. Normal: blue, or empty because every copy reads a primary. While a "
            "link is down its copy publishes nothing from it: find out who is primary now (INFO "
            "replication).",
            NO_REPLICA,
        ),
        Target(redis.replica_links(), BY_COPY),
        unit="bool_on_off",
        thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
    )
    panel.mappings([style.value_text("1", "up", style.GOOD), style.value_text("0", "DOWN", style.BAD)])
    return panel.height(6)


def _lag() -> timeseries.Panel:
    panel = graph_panel(
        Text(
            "Replication lag of each copy",
            "For each copy of the exporter that reads a replica, the ten highest: how long ago that replica "
            "heard from its primary. The dashed limit, where the alert RedisReplicationBroken begins, is "
            "drawn once half of it is reached. Normal: below 10 seconds, or empty because every copy reads "
            "a primary. So old are this copy's numbers.",
            NO_REPLICA,
        ),
        [Target(redis.replica_lag(), BY_COPY), Target(redis.lag_limit(), FLEET + LIMIT)],
        unit="s",
    )
    return panel.height(6)
