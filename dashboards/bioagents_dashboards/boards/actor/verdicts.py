"""The first row: what fails, how, since when, and what follows from it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat

from bioagents_dashboards.boards.actor.words import NO_JOB
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.panels import Target, Text, stat_panel
from bioagents_dashboards.queries import jobs


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet."""
    return [*_failures(), *_consequences(), *_times()]


def _failures() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Failing since",
                "For how long the condition of the oldest alert about failures (HighJobFailureRate, "
                "HighJobFailureRatio) in the chosen queues has been true. Normal: none fires. For failures "
                "too few to alert, see when they begin in the bars below.",
                "none fires, or no rules",
            ),
            Target(jobs.failing_for()),
            unit="s",
            thresholds=style.thresholds(style.BAD),
        ),
        stat_panel(
            Text(
                "Actors that fail",
                "How many actors raise exceptions now. Normal: 0. One: a bug or a dependency of its own. "
                "Many at once: the network, Redis or a service that they share.",
                NO_JOB,
            ),
            Target(jobs.failing_actors()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (1, style.WARN)),
        ),
        stat_panel(
            Text(
                "Failure limit used",
                "Share of the attempts of five minutes that raised, as a share of the queue's limit; of the "
                "chosen actor that fails most. Normal: below 70 %. Above 100 % read the workers' logs for "
                "the exceptions in the table below.",
                "no attempt, or no rules",
            ),
            Target(jobs.worst_failure_limit_used()),
            unit="percentunit",
            thresholds=style.share_of_limit(),
        ).decimals(0),
        stat_panel(
            Text(
                "Failures",
                "Attempts per second that raised an exception; retries of one job count each. Normal: near "
                "0; red from 0.1 per second on, where HighJobFailureRate begins if all are of one queue.",
                NO_JOB,
            ),
            Target(jobs.failures_per_second()),
            unit="ops",
            thresholds=style.thresholds(style.GOOD, (0.1, style.BAD)),
        ),
    ]


def _consequences() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Retried attempts",
                "Share of the attempts of the chosen actors that ended in another try, by failure or because "
                "an actor asked for later. Normal: a few percent. The alert JobRetryStorm judges each queue "
                "by itself, above 50 % where failures do not explain it.",
                "no attempt, or no rules",
            ),
            Target(jobs.retried_share()),
            unit="percentunit",
            thresholds=style.thresholds(style.GOOD, (0.2, style.WARN)),
        ).decimals(0),
        stat_panel(
            Text(
                "New dead letters",
                "Jobs per second that were given up. Normal: 0. Dramatiq keeps them for seven days: read "
                "why, then enqueue again what still matters.",
                NO_JOB,
            ),
            Target(jobs.deaths()),
            unit="ops",
            thresholds=style.more_than_none(),
        ),
        stat_panel(
            Text(
                "Redelivered",
                "Attempts per second at jobs whose worker went missing while it ran them. Normal: 0. After "
                "a crash some; again and again means a job that kills its workers, as the alert PoisonJob "
                "says.",
                NO_JOB,
            ),
            Target(jobs.redeliveries()),
            unit="ops",
            thresholds=style.more_than_none(),
        ),
    ]


def _times() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Against yesterday",
                "The run time below which 95 of 100 attempts stay, as a share of what it was a day before, "
                "of the actor that slowed most; actors with fewer than 20 attempts in five minutes do not "
                "count. Normal: near 100 %. Far above it what the actor calls has become slow, or its work "
                "has grown.",
                "too few, or no rules",
            ),
            Target(jobs.most_slowed()),
            unit="percentunit",
            thresholds=style.thresholds(style.GOOD, (1.5, style.WARN), (3, style.BAD)),
        ).decimals(0)
    ]
