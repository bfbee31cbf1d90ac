"""Jobs in a living worker's acknowledgement sets that this worker knows nothing of.

A worker's heartbeat is always older or younger than our look at its sets, so counts alone would show jobs
that were just fetched or just finished. What stays in the sets over several looks is either stuck or was
held all the time; and a job held all the time is in every heartbeat in between. So of the jobs that stayed,
at least those above the smallest of these heartbeats are stuck, whatever the worker did meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.snapshot import Worker

#: Looks before a result counts, and before a new series of looks begins, so that later jobs are seen too.
LOOKS: Final = 3
_RENEW: Final = 6
#: Larger sets are compared by their sizes alone.
MAX_IDS: Final = 1000


@dataclass(slots=True)
class Series:
    """Several looks at the sets of one worker and queue."""

    began: float  # unix seconds by the server's clock
    looks: int = 0
    ids: frozenset[bytes] | None = None  # seen in every look; None: too many to compare
    smallest: int = 0  # size of the sets
    heartbeat: float = 0.0
    heartbeats: int = 0
    low: int | None = None  # smallest report of what the worker holds
    high: int = 0

    def look(self, size: int, ids: frozenset[bytes] | None, worker: Worker, queue: str) -> None:
        """Take in one look."""
        first = self.looks == 0
        self.looks += 1
        self.smallest = size if first else min(size, self.smallest)
        self.ids = ids if first else None if ids is None or self.ids is None else self.ids & ids
        report = reported(worker, queue)
        self.high = max(self.high, report)
        if worker.seen > max(self.heartbeat, self.began):
            self.heartbeat = worker.seen
            self.heartbeats += 1
            # The first heartbeat may have been written before the first look.
            if self.heartbeats > 1:
                self.low = report if self.low is None else min(report, self.low)

    @property
    def stuck(self) -> int | None:
        """At least so many jobs are stuck; None before enough was seen."""
        if self.looks < LOOKS or self.low is None:
            return None
        if self.ids is None:
            return max(0, self.smallest - self.high)
        return max(0, len(self.ids) - self.low)

    @property
    def old(self) -> bool:
        """Whether a new series should begin beside this one."""
        return self.looks >= _RENEW

    @property
    def over(self) -> bool:
        """Whether there is nothing more to find: what was seen at first is gone."""
        return self.looks > 0 and not (self.smallest if self.ids is None else self.ids)


class Suspects:
    """The workers whose sets hold, or held, more than they reported."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], list[Series]] = {}

    def is_suspect(self, worker: Worker, queue: str, size: int) -> bool:
        """Whether to look at the ids in the sets of this worker, which has ``size`` jobs in them."""
        return (worker.id, queue) in self._series or size > reported(worker, queue)

    def look(self, worker: Worker, queue: str, size: int, ids: frozenset[bytes] | None, now: float) -> None:
        """Take in the ids; None where they are too many."""
        series = self._series.setdefault((worker.id, queue), [])
        if not series or (len(series) == 1 and series[0].old):
            series.append(Series(now))
        for each in series:
            each.look(size, ids, worker, queue)
        if len(series) > 1 and series[1].stuck is not None:
            del series[0]
        if all(each.over for each in series):
            del self._series[worker.id, queue]

    def stuck(self, workers: set[str]) -> Counter[str]:
        """How many jobs of each queue are stuck at these workers, as far as that is certain."""
        found: Counter[str] = Counter()
        for (worker, queue), series in self._series.items():
            if worker in workers:
                found[queue] += series[0].stuck or 0
        return found

    def keep(self, workers: set[str]) -> None:
        """Forget all workers but these."""
        self._series = {key: series for key, series in self._series.items() if key[0] in workers}


def reported(worker: Worker, queue: str) -> int:
    """Jobs of a queue that the worker says it holds, delayed ones included."""
    state = worker.state
    return (state.held or {}).get(queue, 0) + (state.delayed or {}).get(queue, 0)
