"""The workers of the demo, and the fault that befalls them."""

from __future__ import annotations

from dataclasses import replace

from bioagents_demo.pace import CHAT_SPEED, RESEARCH_SPEED
from bioagents_demo.servers import worker
from bioagents_demo.stage import Stage
from bioagents_worker.reference.actors import CHAT, DEEP_RESEARCH
from bioagents_worker.reference.environment import Environment


class Fleet:
    """Two ``dramatiq`` programs, one for each queue; the one of deep-research comes and goes."""

    def __init__(self, stage: Stage, environment: Environment) -> None:
        self._stage = stage
        self._research = replace(environment, speed=RESEARCH_SPEED)
        self._starts, self._running = 0, ""
        stage.start(worker(CHAT, CHAT, replace(environment, speed=CHAT_SPEED), processes=2, threads=4))
        self.research_runs(wanted=True)

    def research_runs(self, *, wanted: bool) -> None:
        """Start or stop the deep-research workers, if they are not as ``wanted``."""
        if wanted and not self._running:
            self._starts += 1
            self._running = f"{DEEP_RESEARCH}-{self._starts}"
            self._stage.start(worker(self._running, DEEP_RESEARCH, self._research, processes=1, threads=4))
        elif self._running and not wanted:
            self._stage.stop(self._running)
            self._running = ""
