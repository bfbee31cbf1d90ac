"""How long jobs wait and run: the worst, quantiles, and all of them as a heat map."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.boards.queue.words import NO_QUEUE, NO_RULES
from bioagents_dashboards.drawing.legends import BY_QUEUE
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel, heatmap_panel
from bioagents_dashboards.queries import jobs, queues

_NO_HEATMAP = "nothing to show, the rules are not loaded, or several fleets are chosen: choose one"


def waiting() -> Panels:
    """From the moment at which a job could run until an attempt begins."""
    return [
        graph_panel(
            Text(
                "Oldest wait",
                "How long the job at the head of a queue is ready already, the ten worst queues. Normal: "
                "below the dashed limit, which is drawn once half of it is used. Jobs behind it wait longer "
                "still.",
                NO_QUEUE,
            ),
            [Target(queues.longest_waits(), BY_QUEUE), Target(queues.wait_limit(), BY_QUEUE + LIMIT)],
            unit="s",
            width=8,
        ),
        _quantiles(
            "Wait time",
            jobs.wait_quantile,
            "Of attempts that began in the last five minutes, without delays and the back-off of retries. "
            "Normal: what it was last week. All lines up: too few slots. Only p99 up: some jobs stood "
            "behind long ones.",
        ),
        heatmap_panel(
            Text(
                "Wait time of all jobs",
                "How many attempts per second began after how long a wait, over five minutes; the lighter, "
                "the more. Normal: one strong band that stays low. A band that climbs is a backlog; two "
                "bands are two kinds of queues, choose one.",
                _NO_HEATMAP,
            ),
            jobs.wait_buckets(),
            unit="s",
            width=8,
        ),
    ]


def running() -> Panels:
    """One attempt, from its beginning to its end."""
    return [
        graph_panel(
            Text(
                "Longest running job",
                "For how long the job that runs longest has been running, the ten worst queues. Normal: it "
                "falls again and again, and stays below the dashed limit, which is drawn once half of it is "
                "used. A line that only climbs is a job that hangs, or a long one.",
                NO_QUEUE,
            ),
            [Target(queues.longest_runs(), BY_QUEUE), Target(queues.run_limit(), BY_QUEUE + LIMIT)],
            unit="s",
            width=8,
        ),
        _quantiles(
            "Run time",
            jobs.run_quantile,
            "Of attempts that ended in the last five minutes. Normal: what it was last week. All lines up: "
            "what jobs call has become slow. The board Actor says which actor it is.",
        ),
        heatmap_panel(
            Text(
                "Run time of all jobs",
                "How many attempts per second took how long, over five minutes; the scale below has the "
                "colours. Normal: the same bands as last week. A new band above is a new kind of job or a "
                "slow dependency; one at a round number is a timeout.",
                _NO_HEATMAP,
            ),
            jobs.run_buckets(),
            unit="s",
            width=8,
        ),
    ]


def _quantiles(title: str, of: jobs.Quantile, meaning: str) -> timeseries.Panel:
    return graph_panel(
        Text(
            f"{title} quantiles",
            "The time that 50, 95 and 99 of 100 jobs stay below, estimated from a histogram, the ten "
            f"highest queues. {meaning}",
            NO_RULES,
        ),
        [Target(of(percent), f"{BY_QUEUE} p{percent}") for percent in (99, 95, 50)],
        unit="s",
        width=8,
    )
