"""All that is remembered from one scrape to the next; everything else is derived from the snapshot alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bioagents_exporter.derive.layout import Layouts
from bioagents_exporter.derive.ledger import Ledger
from bioagents_exporter.derive.process import Process
from bioagents_exporter.derive.totals import TotalsMemory
from bioagents_exporter.derive.view import View
from bioagents_exporter.derive.window import Window
from bioagents_exporter.derive.workers import WorkerKeys
from bioagents_exporter.read.server import Server
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.settings import Settings


class Memory:
    """One for each exporter. ``lock`` is held by whoever derives or samples; threads may do so at will.

    ``clock`` measures durations, in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.lock = threading.Lock()
        self.ledger = Ledger(clock)
        self.process = Process()
        self._totals, self._layouts = TotalsMemory(), Layouts()
        self._window, self._worker_keys = Window(), WorkerKeys()

    @property
    def window(self) -> Window:
        """The last minutes of every queue."""
        return self._window

    def view(self, snapshot: Snapshot, server: Server, settings: Settings, now: float) -> View:
        """A snapshot together with what is remembered."""
        return View(
            snapshot, server, settings, now, self._totals, self._layouts, self._window, self._worker_keys
        )

    def scraped(self, seconds: float) -> None:
        """A scrape is finished and took so long."""
        with self.lock:
            self.ledger.scrape_duration = seconds

    def error(self, cause: str, n: int = 1) -> None:
        """Count something that a scrape had to leave out, by one of a few fixed causes."""
        with self.lock:
            self.ledger.error(cause, n)
