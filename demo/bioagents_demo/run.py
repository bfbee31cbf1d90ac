"""One run of the demo: starts all programs, follows the scenario, shows the figures."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from bioagents_demo.display import Display, display, scrape
from bioagents_demo.processes import ProcessGroup
from bioagents_demo.reference.actors import CHAT, DEEP_RESEARCH
from bioagents_demo.reference.environment import Environment
from bioagents_demo.scenario import CHAT_SPEED, NAMESPACE, RESEARCH_SPEED, phase_at, phase_number
from bioagents_demo.servers import (
    Address,
    Monitoring,
    producer,
    start_exporter,
    start_monitoring,
    start_redis,
    worker,
)
from bioagents_demo.webhook import Webhook, listening

_STEP: Final = 1.0  # seconds between two updates


class Workers:
    """Two ``dramatiq`` programs, one for each queue, that are started and stopped together."""

    def __init__(self, processes: ProcessGroup, environment: Environment) -> None:
        self._processes, self._environment = processes, environment
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
                self._processes.stop(name)
            self._running = ()

    def _start(self, queue: str, speed: float, *, processes: int) -> str:
        name, environment = f"{queue}-{self._starts}", replace(self._environment, speed=speed)
        self._processes.start(worker(name, queue, environment, processes=processes, threads=4))
        return name


@dataclass(frozen=True, slots=True)
class Demo:
    """The running programs and the display."""

    processes: ProcessGroup
    workers: Workers
    webhook: Webhook
    metrics: str  # URL
    display: Display
    start: float  # monotonic time

    def run(self, duration: float | None) -> None:
        """Follow the scenario for ``duration`` seconds, or until an exception ends it."""
        number = -1
        while duration is None or self.elapsed() < duration:
            self.processes.check()
            number = self._follow(number)
            for alert in self.webhook.take():
                self.display.note(self.elapsed(), str(alert))
            self.display.show(self.elapsed(), scrape(self.metrics))
            time.sleep(self._pause(duration))

    def elapsed(self) -> float:
        """Seconds since the scenario started."""
        return time.monotonic() - self.start

    def _follow(self, number: int) -> int:
        """Start a new phase if ``number`` is not the current one; return the current number."""
        elapsed = self.elapsed()
        if phase_number(elapsed) != number:
            phase = phase_at(elapsed)
            self.display.note(elapsed, phase.note)
            self.workers.run(wanted=phase.workers)
        return phase_number(elapsed)

    def _pause(self, duration: float | None) -> float:
        left = _STEP if duration is None else duration - self.elapsed()
        return max(0.0, min(left, _STEP - self.elapsed() % _STEP))


def run(listen: Address, duration: float | None) -> None:
    """Run the demo with the exporter at ``listen``; at the end all processes and files are gone."""
    with ExitStack() as stack:
        webhook = stack.enter_context(listening())
        processes = stack.enter_context(ProcessGroup())
        environment = Environment(redis_url=f"redis://{start_redis(processes)}/0", namespace=NAMESPACE)
        start_exporter(processes, environment.redis_url, listen)
        monitoring = start_monitoring(processes, listen, webhook.url)
        workers, start = Workers(processes, environment), time.monotonic()
        processes.start(producer(environment, start))
        shown = display(heading(listen, environment.redis_url, monitoring))
        Demo(processes, workers, webhook, f"{listen.url}/metrics", shown, start).run(duration)


def heading(exporter: Address, redis_url: str, monitoring: Monitoring) -> list[str]:
    """The lines that name the addresses of all servers."""
    missing = "not on the PATH, so not started"
    return [
        "BioAgents Monitor: real Valkey, workers and exporter; the work of the jobs is simulated",
        f"(chat {CHAT_SPEED:.0f} times, deep-research {RESEARCH_SPEED:.0f} times faster than real time)",
        f"  metrics       {exporter.url}/metrics",
        f"  status page   {exporter.url}/",
        f"  Valkey        {redis_url}, namespace {NAMESPACE}",
        f"  Prometheus    {monitoring.prometheus.url if monitoring.prometheus else missing}",
        f"  Alertmanager  {monitoring.alertmanager.url if monitoring.alertmanager else missing}",
    ]
