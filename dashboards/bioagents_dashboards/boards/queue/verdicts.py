"""The first row: is a queue slow, does it recover, and which of the usual causes is it?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat

from bioagents_dashboards.boards.parts import NO_EXPORTER
from bioagents_dashboards.boards.queue.words import NO_QUEUE
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.panels import Target, Text, stat_panel
from bioagents_dashboards.queries import queues


def stats() -> list[stat.Panel]:
    """One line of numbers for each fleet, of the chosen queue that is worst."""
    return [*_slow(), *_hands(), *_jobs()]


def _slow() -> list[stat.Panel]:
    drain = stat_panel(
        Text(
            "Time to drain",
            "When the backlog will be gone at the pace of the last five minutes, in the queue that needs "
            "longest. Normal: below the queue's limit, which the table below judges. “Not shrinking” for "
            "more than some minutes: look at the numbers to the right for the cause.",
            "not known yet",
        ),
        Target(queues.longest_drain()),
        unit="s",
        thresholds=style.no_judgement(),
    )
    return [
        stat_panel(
            Text(
                "Wait limit used",
                "How long the oldest waiting job has been ready, as a share of its queue's limit; the worst "
                "of the chosen queues. Normal: below 70 %. Above 100 % the queue is too slow: the alert "
                "QueueWaitTooLong begins.",
                NO_EXPORTER,
            ),
            Target(queues.worst_wait()),
            unit="percentunit",
            thresholds=style.share_of_limit(),
        ).decimals(0),
        drain.mappings([style.endless("not shrinking", style.WARN)]),
        stat_panel(
            Text(
                "Arrival ratio",
                "Jobs that came for each that was done, over five minutes, in the waiting queue where that "
                "is most. Normal: below 1, then the backlog shrinks. Above 1 for long: more comes than the "
                "workers can do. Producers without JobMetrics do not count.",
                "nothing waits, or no rules",
            ),
            Target(queues.worst_growth()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (1.1, style.WARN)),
        ).mappings([style.endless("nothing done", style.WARN)]),
    ]


def _hands() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Slots in use",
                "Jobs that run, as a share of the living threads that could run one, in the fullest queue. "
                "Normal: below 100 %. At 100 % jobs wait for a free slot: add workers, or see whether jobs "
                "run longer than they used to. Above it, workers that drain still run jobs.",
                "no slots, or no rules",
            ),
            Target(queues.fullest_slots()),
            unit="percentunit",
            thresholds=style.thresholds(style.GOOD, (1, style.WARN)),
        ).decimals(0),
        stat_panel(
            Text(
                "Minimum met",
                "Workers alive, as a share of the fewest that the queue must have; the worst of the chosen "
                "queues. Normal: 100 % or more. Below it, workers died, drain or were never started: see "
                "the board Workers. A queue that nobody served for a day counts once jobs wait.",
                "no minimum, or no rules",
            ),
            Target(queues.fewest_workers()),
            unit="percentunit",
            thresholds=style.thresholds(style.BAD, (1, style.GOOD)),
        ).decimals(0),
    ]


def _jobs() -> list[stat.Panel]:
    return [
        stat_panel(
            Text(
                "Run limit used",
                "How long the longest running job has been running, as a share of its queue's limit; the "
                "worst of the chosen queues. Normal: below 100 %. A job above it hangs and takes up a slot; "
                "the runbook of JobRunningTooLong says how to find it.",
                NO_EXPORTER,
            ),
            Target(queues.worst_run()),
            unit="percentunit",
            thresholds=style.share_of_limit(),
        ).decimals(0),
        stat_panel(
            Text(
                "Failure limit used",
                "Share of the attempts of five minutes that raised, as a share of the queue's limit; the "
                "worst of the chosen queues. Normal: below 70 %. Failures that are retried take up slots "
                "twice: see the board Actor for what fails.",
                "no attempt",
            ),
            Target(queues.worst_failures()),
            unit="percentunit",
            thresholds=style.share_of_limit(),
        ).decimals(0),
        stat_panel(
            Text(
                "Out of reach",
                "Jobs that nobody runs and nobody fetches: orphaned, stuck, unheld, or delayed and overdue. "
                "Normal: 0; orphaned ones after a restart come back within an hour. The table “Jobs that do "
                "not move” says which they are.",
                NO_QUEUE,
            ),
            Target(queues.out_of_reach()),
            unit="short",
            thresholds=style.thresholds(style.GOOD, (1, style.WARN)),
        ),
    ]
