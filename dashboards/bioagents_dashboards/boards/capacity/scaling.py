"""What a scaler is asked to do and does: wanted against actual workers, and every change of them."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import statetimeline, timeseries
from grafana_foundation_sdk.models.common import LineInterpolation

from bioagents_dashboards.boards.capacity.words import NO_QUEUE
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_QUEUE
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel, timeline_panel
from bioagents_dashboards.queries import capacity

#: Half a worker is none: numbers hold until they change.
_STEPS: Final = LineInterpolation.STEP_AFTER


def desired_and_actual() -> timeseries.Panel:
    """The wish, and whether it is followed."""
    text = Text(
        "Wanted and actual workers",
        "Workers that a queue should have for the jobs that wait in it, and those that it has, the "
        f"{capacity.FEW} queues that want the most. Normal: the second follows the first within minutes, "
        "if something scales. The dashed maximum is drawn once half of it is wanted, the dashed minimum "
        "while there are no more workers.",
        "no queue is known, or the rules are not loaded",
    )
    targets = [
        Target(capacity.most_desired(), BY_QUEUE + " wanted"),
        Target(capacity.their_workers(), BY_QUEUE + " actual"),
        Target(capacity.their_maximum(), BY_QUEUE + " maximum" + LIMIT),
        Target(capacity.their_minimum(), BY_QUEUE + " minimum" + LIMIT),
    ]
    return graph_panel(text, targets, unit="short", width=12).line_interpolation(_STEPS)


def shortage() -> statetimeline.Panel:
    """When did which queue lack workers?"""
    text = Text(
        "Workers short",
        "For each queue, wanted workers less those that it has: blue as wanted, orange too few, grey more "
        "than wanted; the ten that lack the most. Normal: blue, orange for minutes. Orange that stays: "
        "the scaler is off, at its maximum, or the new workers do not start. Grey that stays costs money.",
        NO_QUEUE,
    )
    colors = style.thresholds(style.NEUTRAL, (0, style.GOOD), (1, style.WARN))
    return timeline_panel(
        text, Target(capacity.shortest(), BY_QUEUE), unit="short", thresholds=colors, width=6
    )


def changes() -> timeseries.Panel:
    """What was started and stopped."""
    text = Text(
        "Changes of workers",
        "By how much the workers of a queue became more or fewer within five minutes, the ten largest "
        "changes. Normal: empty, and a peak when the wish changes or you deploy. Up and down in turns is "
        "a scaler that cannot decide: give it a longer pause before it scales down.",
        "no queue gained or lost a worker",
    )
    targets = [
        Target(capacity.added(), BY_QUEUE + " added"),
        Target(capacity.removed(), BY_QUEUE + " removed"),
    ]
    return graph_panel(text, targets, unit="short", width=6).line_interpolation(_STEPS)
