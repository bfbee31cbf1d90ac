"""Jobs that nobody runs."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.boards.parts import Panels
from bioagents_dashboards.boards.queue.words import NO_QUEUE
from bioagents_dashboards.drawing import style
from bioagents_dashboards.drawing.legends import BY_ACTOR, BY_QUEUE
from bioagents_dashboards.drawing.panels import Target, Text, graph_panel
from bioagents_dashboards.queries import jobs, queues

_LOST: Final = ("orphaned", "stuck", "unheld")


def graphs() -> Panels:
    """Delayed, lost sight of, given again."""
    return [
        graph_panel(
            Text(
                "Delayed jobs",
                "Jobs that wait for their time, sent with a delay or to be tried again, the ten queues with "
                "the most; and those whose time has passed, from a sample. Normal: no overdue ones. Overdue "
                "jobs mean that no worker fetches them: its consumer of delayed jobs is dead or full.",
                NO_QUEUE,
            ),
            [
                Target(queues.most_delayed(), BY_QUEUE),
                Target(queues.most_audited("overdue_delayed"), BY_QUEUE + " overdue"),
            ],
            unit="short",
            width=8,
        ),
        graph_panel(
            Text(
                "Orphaned, stuck and unheld jobs",
                "Held by a dead worker; in the name of a living worker that lost them; in nobody's hands. "
                "Read in the background, so some minutes old. Normal: empty. Orphaned ones come back within "
                "an hour, stuck ones when their worker is restarted, unheld ones never.",
                "no job is lost sight of",
            ),
            [Target(queues.most_audited(kind), f"{BY_QUEUE} {kind}") for kind in _LOST],
            unit="short",
            width=8,
            thresholds=style.any_is_bad(),
        ),
        graph_panel(
            Text(
                "Redeliveries",
                "Attempts per second at jobs whose worker went missing while it ran them, the ten highest "
                "actors. Normal: empty. Some after a crash; the same actor again and again is a job that "
                "kills its workers, as the alert PoisonJob says.",
                "no job was given again",
            ),
            [Target(jobs.redeliveries_by_actor(), BY_ACTOR)],
            unit="ops",
            width=8,
        ),
    ]
