"""What fails in a queue, and what it leaves."""

from __future__ import annotations

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.boards.queue.words import NO_QUEUE, NO_RULES
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_ACTOR, BY_CAUSE, BY_QUEUE
from bioagents_dashboards.drawing.panels import LIMIT, Target, Text, graph_panel
from bioagents_dashboards.queries import jobs, queues


def graphs() -> Panels:
    """Failures and retries: attempts that took a slot and did not finish a job."""
    return [
        graph_panel(
            Text(
                "Failure ratio",
                "Share of the attempts of five minutes that raised, the ten highest queues. Normal: below "
                "the dashed limit, which is drawn once half of it is used. A gap means that there were no "
                "attempts.",
                "no attempt in five minutes",
            ),
            [
                Target(queues.worst_failure_ratios(), BY_QUEUE),
                Target(queues.failure_limit(), BY_QUEUE + LIMIT),
            ],
            unit="percentunit",
            width=8,
        ),
        graph_panel(
            Text(
                "Failures by exception",
                "Attempts per second that raised, the ten highest by actor and class of exception. Normal: "
                "empty. The board Actor has more about them.",
                "nothing failed, or the rules are not loaded",
            ),
            [Target(jobs.failures_by_exception(), BY_CAUSE)],
            unit="ops",
            width=8,
        ),
        graph_panel(
            Text(
                "Retries",
                "Jobs per second that were put back to be tried again, over five minutes, the ten highest "
                "queues. Normal: near 0. As many as completions means that every other attempt is in vain.",
                NO_RULES,
            ),
            [Target(jobs.retries(), BY_QUEUE)],
            unit="ops",
            width=8,
        ),
    ]


def dead_letters() -> Panels:
    """Jobs that were given up: how many, why, and for how long they are still there."""
    return [
        graph_panel(
            Text(
                "Dead letters kept",
                "Jobs that were given up and that Dramatiq still keeps, and how many of them it deletes "
                "within 24 hours. Normal: 0. Look at those that will be deleted now; what caused them "
                "stands beside.",
                NO_QUEUE,
            ),
            [
                Target(queues.dead_letters(), BY_QUEUE),
                Target(queues.dead_expiring(), BY_QUEUE + " deleted within 24 h"),
            ],
            unit="short",
            width=8,
            thresholds=style.any_is_bad(),
        ),
        graph_panel(
            Text(
                "Dead letters by cause",
                "Jobs per second that were given up, by actor; and the exceptions per second that these "
                "actors raised at the same time, which is as near as counts come to a cause. Normal: empty. "
                "A death without an exception was too old, or no worker knew its actor.",
                "no job was given up",
            ),
            [
                Target(jobs.deaths_by_actor(), BY_ACTOR + " dead"),
                Target(jobs.causes_of_death(), BY_CAUSE),
            ],
            unit="ops",
            width=8,
        ),
        graph_panel(
            Text(
                "Oldest dead letter",
                "How long ago the oldest dead letter that is kept was given up, the ten oldest queues. "
                "Normal: empty. Dramatiq deletes it after its time (7 days unless you set another), without "
                "a trace.",
                "no dead letter is kept",
            ),
            [Target(queues.oldest_dead(), BY_QUEUE)],
            unit="s",
            width=8,
        ),
    ]
