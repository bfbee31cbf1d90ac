"""How long attempts of a queue usually take, and the limit that follows where none is set.

The history is that of the totals: the attempts of all workers since the totals began, by actor. Each actor
counts alone, because a queue may have one actor whose jobs are rare and long. Its first attempt counts, so
that no alert calls the second one too long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from bioagents_exporter.derive.totals import Layouts, PublishedTotals, values_of
from bioagents_worker.wire import BUCKETS

#: Seconds: the limit of a queue in which no actor has finished :data:`ENOUGH` attempts.
UNKNOWN: Final = 28_800.0
ENOUGH: Final = 20  # attempts of one actor from which on the queue has a history
SHARE: Final = 0.99  # of the attempts of an actor that its usual run time covers
FACTOR: Final = 3  # times the usual run time
LEAST: Final = 600.0  # seconds; Dramatiq's own default for the time limit of a job
#: Seconds between two calculations: 2.4 ms for 1,000 actors, as much as all their other metrics take.
_REFRESH: Final = 60.0


class DurationLimits:
    """The limits that follow from the history; the sampler updates them, so that a scrape does not.

    Attributes:
        limits: queue → seconds, without queues that have no history.
    """

    def __init__(self) -> None:
        self.limits: dict[str, float] = {}
        self._calculated = -math.inf

    def update(self, totals: Iterable[PublishedTotals], layouts: Layouts, now: float) -> None:
        """Calculate once a minute; a queue whose totals are missing now keeps its limit."""
        if now - self._calculated >= _REFRESH:
            self.limits |= _calculate(totals, layouts)
            self._calculated = now


def _calculate(totals: Iterable[PublishedTotals], layouts: Layouts) -> dict[str, float]:
    limits: dict[str, float] = {}
    for each in totals:
        values = values_of(each)
        histograms = [actor.duration(values)[:-1] for actor in layouts.of(each).actors]
        if any(sum(counts) >= ENOUGH for counts in histograms):
            usual = max(usual_duration(counts) for counts in histograms if any(counts))
            limits[each.queue] = max(limits.get(each.queue, LEAST), FACTOR * usual)
    return limits


def usual_duration(counts: Sequence[int]) -> float:
    """Seconds that :data:`SHARE` of the attempts stay below, as PromQL's ``histogram_quantile`` has it.

    Args:
        counts: attempts of each bucket, not cumulative; not all are 0.
    """
    rank = SHARE * sum(counts)
    bucket = next(i for i, seen in enumerate(accumulate(counts)) if seen >= rank)
    if bucket == len(BUCKETS):  # above the highest bound
        return BUCKETS[-1]
    lower = BUCKETS[bucket - 1] if bucket else 0.0
    missing = rank - sum(counts[:bucket])
    return lower + (BUCKETS[bucket] - lower) * missing / counts[bucket]
