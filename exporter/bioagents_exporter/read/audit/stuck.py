"""Jobs in a living worker's acknowledgement sets that this worker does not know.

A worker's heartbeat is always older or younger than a reading of its sets, so counts alone would show jobs
that were just fetched or just finished. A job that is in the sets at several readings is either stuck or was
held all the time; and a job held all the time is in every heartbeat in between. So of the jobs that stayed,
at least those above the smallest of these heartbeats are stuck, whatever the worker did meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.snapshot import Worker

#: Readings before a result counts, and before a new observation begins, so that later jobs are seen too.
READINGS: Final = 3
_RENEW: Final = 6
#: Larger sets are compared by their sizes alone.
MAX_IDS: Final = 1000


@dataclass(slots=True)
class Observation:
    """Several readings of the sets of one worker and queue."""

    began: float  # unix seconds by the server's clock
    readings: int = 0
    ids: frozenset[bytes] | None = None  # Redis message ids, present at every reading; None: too many
    smallest: int = 0  # size of the sets
    heartbeat: float = 0.0
    heartbeats: int = 0
    low: int | None = None  # smallest report of what the worker holds
    high: int = 0

    def add(self, size: int, ids: frozenset[bytes] | None, worker: Worker, queue: str) -> None:
        """Take in one reading."""
        first = self.readings == 0
        self.readings += 1
        self.smallest = size if first else min(size, self.smallest)
        self.ids = ids if first else None if ids is None or self.ids is None else self.ids & ids
        report = reported(worker, queue)
        self.high = max(self.high, report)
        if worker.seen > max(self.heartbeat, self.began):
            self.heartbeat = worker.seen
            self.heartbeats += 1
            # The first heartbeat may have been written before the first reading.
            if self.heartbeats > 1:
                self.low = report if self.low is None else min(report, self.low)

    @property
    def stuck(self) -> int | None:
        """The least number of jobs that are stuck; None before there were enough readings."""
        if self.readings < READINGS or self.low is None:
            return None
        if self.ids is None:
            return max(0, self.smallest - self.high)
        return max(0, len(self.ids) - self.low)

    @property
    def old(self) -> bool:
        """Whether a new observation should start in addition to this one."""
        return self.readings >= _RENEW

    @property
    def over(self) -> bool:
        """Whether there is nothing more to find: the jobs of the first reading are gone."""
        return self.readings > 0 and not (self.smallest if self.ids is None else self.ids)


class Suspects:
    """The workers whose sets hold, or held, more than they reported."""

    def __init__(self) -> None:
        self._observations: dict[tuple[str, str], list[Observation]] = {}

    def is_suspect(self, worker: Worker, queue: str, size: int) -> bool:
        """Whether to read the ids in the sets of this worker, which has ``size`` jobs in them."""
        if queue in worker.state.uncounted:  # it may know all of them
            return False
        return (worker.id, queue) in self._observations or size > reported(worker, queue)

    def add(self, worker: Worker, queue: str, size: int, ids: frozenset[bytes] | None, now: float) -> None:
        """Take in the ids; None where they are too many."""
        observations = self._observations.setdefault((worker.id, queue), [])
        if not observations or (len(observations) == 1 and observations[0].old):
            observations.append(Observation(now))
        for each in observations:
            each.add(size, ids, worker, queue)
        if len(observations) > 1 and observations[1].stuck is not None:
            del observations[0]
        if all(each.over for each in observations):
            del self._observations[worker.id, queue]

    def stuck(self, workers: set[str]) -> Counter[str]:
        """How many jobs of each queue are stuck at these workers, as far as that is certain."""
        found: Counter[str] = Counter()
        for (worker, queue), observations in self._observations.items():
            if worker in workers:
                found[queue] += observations[0].stuck or 0
        return found

    def keep(self, workers: set[str]) -> None:
        """Forget all workers but these."""
        self._observations = {key: each for key, each in self._observations.items() if key[0] in workers}


def reported(worker: Worker, queue: str) -> int:
    """Jobs of a queue that the worker holds by its own heartbeat, delayed ones included."""
    state = worker.state
    return (state.held or {}).get(queue, 0) + (state.delayed or {}).get(queue, 0)
