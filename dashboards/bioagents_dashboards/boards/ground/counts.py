"""Counts on their way from the workers to the exporter: late, lost, or wrong?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import FLEET
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel
from bioagents_dashboards.queries import exporter


def panels() -> Panels:
    """The row about counts."""
    return [_late(), _dropped(), _errors()]


def _late() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Flush age",
            "How long the oldest count of any worker waited until it was handed to Redis. The dashed limit, "
            "where the alert MetricsFlushDelayed begins, is drawn once half of it is reached. Normal: about "
            "a second, up to 40 in the largest fleets; so far do rates and totals lag behind. The board "
            "Workers shows which worker it is.",
            "no worker has reported, or the rules are not loaded",
        ),
        [
            Target(exporter.flush_age(), FLEET + " oldest"),
            Target(exporter.flush_limit(), FLEET + LIMIT),
        ],
        unit="s",
        width=8,
    )


def _dropped() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Counts given up",
            "Counts per second that workers gave up because they could not know whether Redis has them. "
            "Normal: 0; a failover or restart of Redis may cost some once. Again and again means that Redis "
            "keeps losing its data, and totals and rates are too low.",
            "no worker with JobMetrics has reported yet",
        ),
        [Target(exporter.counts_dropped())],
        unit="ops",
        width=8,
        thresholds=style.more_than_none(),
    )


def _errors() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Errors of the middleware",
            "Errors per second inside JobMetrics in workers and producers; none of them touched a job. "
            "Normal: 0. Each may be a count that is missing: the log of the worker has the reason; report "
            "what looks like a bug.",
            "no worker with JobMetrics has reported yet",
        ),
        [Target(exporter.middleware_errors())],
        unit="ops",
        width=8,
        thresholds=style.more_than_none(),
    )
