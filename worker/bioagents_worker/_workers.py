"""The Dramatiq Workers of this process: each has a heartbeat and a lifetime of its own.

Counts belong to the process, whose caller has the name of its first living Worker: their heartbeat and the
counts are one call. Each further Worker has a name of its own, and calls without counts.
"""

from __future__ import annotations

import logging
import threading
import uuid
from typing import Any, Literal, NamedTuple

from bioagents_worker._failures import Failures
from bioagents_worker._heartbeat import Heartbeat

Kind = Literal["worker", "producer", "gone"]


class Caller(NamedTuple):
    """Who makes a call: its name, what it is, and its heartbeat if it is a worker."""

    id: str
    kind: Kind
    beat: str = ""


class Workers:
    """The Workers that run, and those that have ended and have not signed off yet.

    Dramatiq's threads add and end them; the flusher's thread sends their heartbeats and removes them.
    """

    def __init__(self, process: str, failures: Failures) -> None:
        """``process``: the name of the caller that sends the counts."""
        self.process, self._failures = process, failures
        self._beats: tuple[Heartbeat, ...] = ()  # replaced, never changed
        self._lock = threading.Lock()
        self._boots = 0  # starts that are not counted yet

    def __bool__(self) -> bool:
        """Whether this process is a worker."""
        return bool(self._beats)

    @property
    def ending(self) -> bool:
        """Whether a Worker has ended and has not signed off."""
        return any(beat.ended for beat in self._beats)

    @property
    def names(self) -> set[str]:
        """The names of the callers of this process."""
        return {self.process, *(beat.id for beat in self._beats)}

    def add(self, beat: Heartbeat) -> None:
        """A Worker has started."""
        with self._lock:
            free = all(other.id != self.process for other in self._beats)
            beat.id = self.process if free else uuid.uuid4().hex
            self._beats = (*self._beats, beat)
            self._boots += 1

    def take_boots(self) -> int:
        """How many Workers have started since the last call."""
        with self._lock:
            boots, self._boots = self._boots, 0
        return boots

    def of(self, worker: Any) -> Heartbeat | None:  # noqa: ANN401 - untyped in dramatiq 1
        """The heartbeat of a Worker that has not signed off."""
        return next((beat for beat in self._beats if beat.worker is worker), None)

    def end(self) -> None:
        """All Workers have ended."""
        for beat in self._beats:
            beat.ended = True

    def gone(self, name: str) -> None:
        """This caller has signed off."""
        with self._lock:
            self._beats = tuple(beat for beat in self._beats if beat.id != name)

    def callers(self, *, leaving: bool, **times: float) -> list[Caller]:
        """The callers of this process, the one that sends the counts first.

        ``leaving``: the process ends. ``times`` as for :meth:`Heartbeat.encode`.
        """
        callers = {beat.id: self._caller(beat, times) for beat in self._beats}
        alone = Caller(self.process, "gone" if leaving else "producer")
        return [callers.pop(self.process, alone), *callers.values()]

    def _caller(self, beat: Heartbeat, times: dict[str, float]) -> Caller:
        if beat.ended:
            return Caller(beat.id, "gone")
        made = beat.encode(**times, mine=lambda home: self._runs_in(beat, home))
        for reading, error in made.failed.items():
            text = f"cannot read {reading} of this worker, its numbers are left out"
            self._failures.add(reading, error, text, level=logging.WARNING)
        return Caller(beat.id, "worker", made.text)

    def _runs_in(self, beat: Heartbeat, home: object) -> bool:
        """Whether a thread with this home is the Worker's; the first one also takes the threads of none."""
        if home is beat.home:
            return True
        return beat is self._beats[0] and all(home is not other.home for other in self._beats)
