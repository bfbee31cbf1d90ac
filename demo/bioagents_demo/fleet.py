"""The workers of the demo, and the fault that befalls them."""

from __future__ import annotations

from dataclasses import replace

from bioagents_demo.pace import CHAT_SPEED, RESEARCH_SPEED
from bioagents_demo.reference.actors import CHAT, DEEP_RESEARCH
from bioagents_demo.reference.environment import Environment
from bioagents_demo.servers import worker
from bioagents_demo.stage import Stage


class Fleet:
    """Two ``dramatiq`` programs, one for each queue, that come and go together."""

    def __init__(self, stage: Stage, environment: Environment) -> None:
        self._stage, self._environment = stage, environment
        self._starts = 0
        self._running: tuple[str, ...] = ()

    def run(self, *, wanted: bool) -> None:
        """Start or stop the workers, if they are not as ``wanted``."""
        if wanted and not self._running:
            self._starts += 1
            chat = self._start(CHAT, CHAT_SPEED, processes=2)
            self._running = (chat, self._start(DEEP_RESEARCH, RESEARCH_SPEED, processes=1))
        elif self._running and not wanted:
            for name in self._running:
                self._stage.stop(name)
            self._running = ()

    def _start(self, queue: str, speed: float, *, processes: int) -> str:
        name, environment = f"{queue}-{self._starts}", replace(self._environment, speed=speed)
        self._stage.start(worker(name, queue, environment, processes=processes, threads=4))
        return name
