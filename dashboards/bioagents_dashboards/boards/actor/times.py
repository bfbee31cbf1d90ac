"""How long attempts take, beside what they took before, and how long jobs wait for them."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import heatmap, timeseries

from bioagents_dashboards.boards.actor.history import beside_history
from bioagents_dashboards.boards.actor.words import NO_ATTEMPT, NO_JOB
from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing.legends import BY_ACTOR
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel, heatmap_panel
from bioagents_dashboards.queries import jobs

_NO_HEATMAP: Final = "no attempt then, the rules are not loaded, or several fleets are chosen: choose one"


def running() -> Panels:
    """Quantiles by actor, and everything now and a day before."""
    return [
        _by_actor(
            "Run time by actor",
            jobs.run_quantile_by_actor,
            "Of attempts that ended. Normal: what it was last week. One actor up: what it calls is slow, or "
            "its work has grown; all up: the machines or something that they share.",
        ),
        beside_history(
            Text(
                "Run time against its history",
                "The run time below which 95 of 100 attempts stay, the five actors with the longest, and at "
                "the same time a day and a week before (dotted). Normal: each line among its dots. Choose "
                "an actor to see it alone.",
                NO_ATTEMPT,
            ),
            jobs.run_times,
            unit="s",
        ),
        _heatmap("Run time of all attempts", "", "now"),
        _heatmap("Run time of all attempts, 1 day before", "1d", "at the same time a day before"),
    ]


def waiting() -> Panels:
    """The wait of each actor's jobs, and how many there are."""
    return [
        _by_actor(
            "Wait time by actor",
            jobs.wait_quantile_by_actor,
            "Of attempts that began, without delays and the back-off of retries. Normal: the same for all "
            "actors of a queue; the board Queue says why it is slow.",
        ),
        graph_panel(
            Text(
                "Attempts by actor",
                "Attempts per second that ended, whatever the outcome, the ten busiest actors. Normal: what "
                "it was last week.",
                NO_JOB,
            ),
            [Target(jobs.attempts(), BY_ACTOR)],
            unit="ops",
        ),
    ]


def _by_actor(title: str, of: jobs.Quantile, meaning: str) -> timeseries.Panel:
    return graph_panel(
        Text(
            title,
            "The time that 95 and 50 of 100 attempts stay below, estimated from a histogram, the ten "
            f"highest actors. {meaning}",
            NO_ATTEMPT,
        ),
        [Target(of(percent), f"{BY_ACTOR} p{percent}") for percent in (95, 50)],
        unit="s",
    )


def _heatmap(title: str, ago: str, when: str) -> heatmap.Panel:
    return heatmap_panel(
        Text(
            title,
            f"How many attempts per second of the chosen actors took how long, {when}; the lighter, the "
            "more. Normal: the same bands now and a day before. A new band above is slow work or a slow "
            "dependency; one at a round number is a timeout.",
            _NO_HEATMAP,
        ),
        jobs.run_buckets_of_actors(ago),
        unit="s",
    )
