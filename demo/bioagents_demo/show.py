"""The demo from its first program to its last figure."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from bioagents_demo.addresses import Address
from bioagents_demo.fleet import Fleet
from bioagents_demo.monitoring import Monitoring, start_monitoring
from bioagents_demo.pace import CHAT_SPEED, NAMESPACE, RESEARCH_SPEED
from bioagents_demo.reference.environment import Environment
from bioagents_demo.screen import Screen, screen
from bioagents_demo.servers import producer, start_exporter, start_redis
from bioagents_demo.stage import Stage
from bioagents_demo.story import chapter_at, chapter_number
from bioagents_demo.view import scrape
from bioagents_demo.webhook import Webhook, listening

_STEP: Final = 1.0  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Demo:
    """What runs, and what is shown of it."""

    stage: Stage
    fleet: Fleet
    webhook: Webhook
    metrics: str  # URL
    screen: Screen
    began: float  # monotonic

    def run(self, duration: float | None) -> None:
        """Tell the story for ``duration`` seconds, or until an exception ends it."""
        number = -1
        while duration is None or self.elapsed() < duration:
            self.stage.check()
            number = self._turn_page(number)
            for alert in self.webhook.take():
                self.screen.note(self.elapsed(), str(alert))
            self.screen.show(self.elapsed(), scrape(self.metrics))
            time.sleep(self._pause(duration))

    def elapsed(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self.began

    def _turn_page(self, number: int) -> int:
        """Do what a new chapter asks for; the number of the chapter that runs."""
        elapsed = self.elapsed()
        if chapter_number(elapsed) != number:
            chapter = chapter_at(elapsed)
            self.screen.note(elapsed, chapter.note)
            self.fleet.run(wanted=chapter.workers)
        return chapter_number(elapsed)

    def _pause(self, duration: float | None) -> float:
        left = _STEP if duration is None else duration - self.elapsed()
        return max(0.0, min(left, _STEP - self.elapsed() % _STEP))


def play(listen: Address, duration: float | None) -> None:
    """Start everything, show it, and leave nothing behind, however it ends."""
    with ExitStack() as stack:
        webhook = stack.enter_context(listening())
        stage = stack.enter_context(Stage())
        environment = Environment(redis_url=f"redis://{start_redis(stage)}/0", namespace=NAMESPACE)
        start_exporter(stage, environment.redis_url, listen)
        monitoring = start_monitoring(stage, listen, webhook.url)
        fleet, began = Fleet(stage, environment), time.monotonic()
        stage.start(producer(environment, began))
        view = screen(heading(listen, environment.redis_url, monitoring))
        Demo(stage, fleet, webhook, f"{listen.url}/metrics", view, began).run(duration)


def heading(exporter: Address, redis_url: str, monitoring: Monitoring) -> list[str]:
    """What there is to see and where."""
    missing = "not on the PATH, so not started"
    return [
        "BioAgents Monitor: real Valkey, workers and exporter; the work of the jobs is simulated",
        f"(chat {CHAT_SPEED:.0f} times, deep-research {RESEARCH_SPEED:.0f} times faster than life)",
        f"  metrics       {exporter.url}/metrics",
        f"  status page   {exporter.url}/",
        f"  Valkey        {redis_url}, namespace {NAMESPACE}",
        f"  Prometheus    {monitoring.prometheus.url if monitoring.prometheus else missing}",
        f"  Alertmanager  {monitoring.alertmanager.url if monitoring.alertmanager else missing}",
    ]
