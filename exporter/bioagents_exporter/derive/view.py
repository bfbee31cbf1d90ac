"""One snapshot with what several parts need of it, each worked out once and only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bioagents_exporter.derive.layout import Layouts
from bioagents_exporter.derive.liveness import Crew, Roll, call_roll, crews
from bioagents_exporter.derive.totals import Held, TotalsMemory, comparable_run_id
from bioagents_exporter.derive.window import Window
from bioagents_exporter.derive.workers import WorkerKeys
from bioagents_exporter.read.server import Server
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import Settings


@dataclass(frozen=True)
class View:
    """A snapshot whose data can be trusted. Where a part of it raises, it raises for all who ask."""

    snapshot: Snapshot
    server: Server
    settings: Settings
    now: float  # monotonic seconds of this process
    memory: TotalsMemory
    layouts: Layouts
    window: Window
    worker_keys: WorkerKeys

    @cached_property
    def totals(self) -> list[Held]:
        """The totals that may be published."""
        run_id = comparable_run_id(self.server)
        return self.memory.update(self.snapshot.stores, self.snapshot.totals, run_id)

    @cached_property
    def roll(self) -> Roll:
        """Who is alive and who is missing."""
        return call_roll(self.snapshot.workers, self.server.time)

    @cached_property
    def crews(self) -> dict[str, Crew]:
        """What the living do for each known queue."""
        return crews(self.roll, (queue.name for queue in self.snapshot.queues), self.server.time)
