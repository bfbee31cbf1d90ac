"""Read, derive and render for each scrape, on threads, outside the event loop.

One read serves all scrapes that arrive while it is in progress. It takes as long as Redis does; a scrape that
cannot wait that long is answered with what is known without Redis.
"""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from bioagents_exporter.derive import Family, Memory, derive, sample, trouble
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.render import Renderer
from bioagents_exporter.serve.worker_thread import WorkerThread
from bioagents_exporter.settings import Settings

log = logging.getLogger(__name__)

#: Level of compression. Measured on 100,000 lines: 1 takes 45 ms, 6 takes 120 ms, for 4 % of the bytes.
GZIP_LEVEL: Final = 1
_BUG: Final = "derive"  # cause of exporter_scrape_errors_total that is a bug of the exporter
_SHORTEST_WAIT: Final = 0.05  # seconds, for a scrape that joins a read that already takes long


class SnapshotReader(Protocol):
    """The part of a reader that a collector uses; blocking."""

    def read(self) -> Snapshot:
        """Everything that one read finds, or the reason why Redis cannot be read."""

    def audit(self) -> None:
        """One step of the background audit."""

    def close(self) -> None:
        """Close the connection."""


class CollectError(Exception):
    """A scrape failed because of a bug of the exporter; counted and logged."""


@dataclass(frozen=True)
class Collected:
    """The answer to one scrape."""

    snapshot: Snapshot
    families: tuple[Family, ...]
    text: bytes

    @cached_property
    def gzipped(self) -> bytes:
        """The text, compressed once for all requests."""
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return packer.compress(self.text) + packer.flush()


class Collector:
    """One for each exporter. ``clock``: monotonic seconds."""

    def __init__(
        self, reader: SnapshotReader, settings: Settings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.trouble = "nothing was read yet"  # why the last read cannot be published, or ""
        self._reader, self._clock = reader, clock
        self._memory = Memory()
        self._renderer = Renderer(prefix=settings.prefix, fleet=settings.fleet)
        # A scrape does not wait for the audit, nor the answer without Redis for a read that hangs.
        self._read_thread, self._audit_thread = WorkerThread("read"), WorkerThread("audit")
        self._fallback_thread = WorkerThread("fallback")
        self._flight: asyncio.Future[Collected] | None = None
        self._began = 0.0
        self._bugs: dict[str, str] = {}  # place → error, as last logged

    async def scrape(self, budget: float) -> Collected:
        """The present numbers; after ``budget`` seconds without an answer of Redis, what is known without it.

        Raises:
            CollectError: a bug, counted.
        """
        flight = self._flight
        if flight is None or flight.done():
            self._began = self._clock()
            flight = self._flight = self._read_thread.run(self._collect)
        patience = max(self._began + budget - self._clock(), _SHORTEST_WAIT)
        done, _ = await asyncio.wait((flight,), timeout=patience)  # a request that ends does not end the read
        if done:
            return flight.result()
        flight.add_done_callback(_ignore_error)
        return await self._fallback_thread.run(self._without_redis)

    async def sample(self) -> None:
        """One sample for the window, and one step of the audit."""
        await self._read_thread.run(lambda: self._guarded("sample", self._sample))
        await self._audit_thread.run(lambda: self._guarded("audit", self._reader.audit))

    def error_totals(self) -> Mapping[str, int]:
        """What was left out since the start, by cause."""
        with self._memory.lock:
            return dict(self._memory.states.errors)

    def close(self) -> None:
        """End the threads and close the connection, without waiting for calls in progress."""
        self._read_thread.run(self._reader.close)
        for thread in (self._read_thread, self._audit_thread, self._fallback_thread):
            thread.close()

    def _collect(self) -> Collected:
        began = self._clock()
        try:
            collected = self._publish(self._read())
        except Exception as error:
            self._bug("scrape", error)
            raise CollectError from error
        self._fine("scrape")
        self._memory.scraped(self._clock() - began)
        return collected

    def _publish(self, snapshot: Snapshot) -> Collected:
        families = derive(snapshot, self._memory, self.settings, self._clock())
        return Collected(snapshot, tuple(families), self._renderer.render(families))

    def _without_redis(self) -> Collected:
        reason = "Redis has not answered in time"
        return self._publish(Snapshot(None, 0.0, errors={Cause.REDIS_UNREACHABLE: 1}, failure=reason))

    def _read(self) -> Snapshot:
        snapshot = self._reader.read()
        self.trouble = snapshot.failure or trouble(snapshot)
        return snapshot

    def _sample(self) -> None:
        sample(self._read(), self._memory, self.settings, self._clock())

    def _guarded(self, where: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a bug here must not end the thread, nor the next step
            self._bug(where, error)
        else:
            self._fine(where)

    def _bug(self, where: str, error: Exception) -> None:
        """Count it, and log it unless it is the same as last time."""
        self._memory.error(_BUG)
        what = f"{type(error).__name__}: {error}"
        if self._bugs.get(where) != what:
            log.error("exporter_bug where=%s error=%r", where, what, exc_info=error)
        self._bugs[where] = what

    def _fine(self, where: str) -> None:
        if self._bugs.pop(where, None):
            log.info("exporter_recovered where=%s", where)


def _ignore_error(flight: asyncio.Future[Collected]) -> None:
    """No request waits for it any more; its error was counted where it happened."""
    if not flight.cancelled():
        flight.exception()
