"""What the heartbeats say together, by queue."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import fleet as m
from bioagents_exporter.catalogue import signals
from bioagents_exporter.derive.family import Family, known, single

if TYPE_CHECKING:
    from bioagents_exporter.derive.liveness import Crew
    from bioagents_exporter.derive.view import View


def families(view: View) -> Iterator[Family]:
    """Workers, slots and running jobs of every known queue, at 0 where there are none."""
    keys = [(name,) for name in view.crews]
    crews = list(view.crews.values())
    yield Family(m.WORKERS, keys, [crew.workers for crew in crews])
    yield Family(m.DRAINING_WORKERS, keys, [crew.draining for crew in crews])
    yield Family(m.DRAINING_HELD, keys, [crew.draining_held for crew in crews])
    yield Family(m.SLOTS, keys, [crew.slots for crew in crews])
    yield Family(m.RUNNING, keys, [crew.running for crew in crews])
    yield Family(m.LONGEST_RUNNING, keys, [crew.longest for crew in crews])
    yield single(m.MISSING, len(view.roll.missing))
    waiting = {queue.name: queue.waiting for queue in view.snapshot.queues}
    ratios = (load_ratio(waiting.get(name), crew) for name, crew in view.crews.items())
    yield known(signals.LOAD_RATIO, keys, ratios)


def load_ratio(waiting: int | None, crew: Crew) -> float | None:
    """Jobs that run or wait, for each slot."""
    if waiting is None:
        return None
    if crew.slots:
        return (crew.running + waiting) / crew.slots
    return math.inf if waiting else 0
