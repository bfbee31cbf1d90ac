"""What fails, how, since when, and what it leads to."""

from __future__ import annotations

from grafana_foundation_sdk.builders import statetimeline, timeseries
from grafana_foundation_sdk.models import dashboard as model

from bioagents_dashboards.boards.actor.history import beside_history
from bioagents_dashboards.boards.actor.words import NO_ATTEMPT, NO_FAILURE
from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_ACTOR, BY_CAUSE, FLEET
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel, stacked, timeline_panel
from bioagents_dashboards.queries import jobs


def timeline() -> statetimeline.Panel:
    """Since when."""
    return timeline_panel(
        Text(
            "When which actor failed",
            "A bar for each of the ten actors that failed most at a moment, over five minutes each: blue "
            "below 70 % of its queue's failure limit, orange near it, vermilion above. Normal: empty, or "
            "short blue bars. Compare where a bar begins with the lines of deployments in the graphs below.",
            NO_FAILURE,
        ),
        Target(jobs.failure_limit_used(), BY_ACTOR),
        unit="percentunit",
        thresholds=style.share_of_limit(),
        width=10,
    ).height(9)


def graphs() -> Panels:
    """By exception, by actor, by outcome, and beside what it was."""
    return [_by_exception(), _by_actor(), _by_outcome(), _history()]


def _by_exception() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Failures by exception",
            "Attempts per second that raised, the ten highest by actor and class of exception. Normal: "
            "empty. One line that rises is a bug or one broken dependency; many at once are the network or "
            "Redis.",
            NO_FAILURE,
        ),
        [Target(jobs.failures_by_exception(), BY_CAUSE)],
        unit="ops",
    )


def _by_actor() -> timeseries.Panel:
    return graph_panel(
        Text(
            "Failure ratio by actor",
            "Share of the attempts of five minutes that raised, the ten highest actors, in the queue where "
            "it fails most. Normal: empty or near 0. Near 100 % nothing of that actor gets done any more.",
            NO_FAILURE,
        ),
        [Target(jobs.failure_ratio(), BY_ACTOR)],
        unit="percentunit",
    )


def _by_outcome() -> timeseries.Panel:
    panel = graph_panel(
        Text(
            "Attempts by outcome",
            "Attempts per second of all chosen actors, stacked: succeeded, failed, and put off (Retry, rate "
            "limit, shutdown). Normal: hardly anything but succeeded. Succeeded that falls while failed "
            "rises is an outage; put off that rises is a rate limit.",
            NO_ATTEMPT,
        ),
        [
            Target(jobs.succeeded(), FLEET + " succeeded"),
            Target(jobs.failures_per_second(), FLEET + " failed"),
            Target(jobs.put_off(), FLEET + " put off"),
        ],
        unit="ops",
    )
    colors = {"succeeded": style.GOOD, "failed": style.BAD, "put off": style.WARN}
    for outcome, color in colors.items():
        fixed = model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
        panel.override_by_regexp(f"/ {outcome}$/", [fixed])
    return stacked(panel)


def _history() -> timeseries.Panel:
    return beside_history(
        Text(
            "Failure ratio against its history",
            "Share of the attempts of five minutes that raised, the five actors that fail most, and at the "
            "same time a day and a week before (dotted). Normal: empty, or the line and its dots together. "
            "Where the line leaves its dots, something has changed: see the marks of deployments there.",
            NO_FAILURE,
        ),
        jobs.failure_ratios,
        unit="percentunit",
    )


def consequences() -> Panels:
    """Retries, dead letters, skipped and redelivered jobs."""
    return [
        graph_panel(
            Text(
                "Retries by actor",
                "Jobs per second that were put back to be tried again, the ten highest actors. Normal: near "
                "0. Much more than failures means that the actor asks for later itself (Retry, rate limits).",
                "nothing was retried",
            ),
            [Target(jobs.retries_by_actor(), BY_ACTOR)],
            unit="ops",
            width=6,
        ),
        graph_panel(
            Text(
                "Dead letters by actor",
                "Jobs per second that were given up, the ten highest actors. Normal: empty. They failed too "
                "often, raised what must not be retried, or were too old.",
                "no job was given up",
            ),
            [Target(jobs.deaths_by_actor(), BY_ACTOR)],
            unit="ops",
            width=6,
        ),
        graph_panel(
            Text(
                "Skipped jobs by actor",
                "Jobs per second that a middleware skipped and that are gone without an attempt, the ten "
                "highest actors. Normal: empty, unless your application skips jobs on purpose.",
                "no job was skipped",
            ),
            [Target(jobs.skipped_by_actor(), BY_ACTOR)],
            unit="ops",
            width=6,
        ),
        graph_panel(
            Text(
                "Redeliveries by actor",
                "Attempts per second at jobs whose worker went missing while it ran them, the ten highest "
                "actors. Normal: empty. The same actor again and again kills its workers: see the runbook "
                "of PoisonJob.",
                "no job was given again",
            ),
            [Target(jobs.redeliveries_by_actor(), BY_ACTOR)],
            unit="ops",
            width=6,
        ),
    ]
