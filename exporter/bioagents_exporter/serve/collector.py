"""Read, derive and render for whoever asks, away from the event loop.

One read serves all who ask while it is under way. Its result may take as long as Redis does; who cannot wait
that long gets what is known without Redis.
"""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, TypeVar

from bioagents_exporter.derive import Family, Memory, derive, sample, trouble
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.render import Renderer
from bioagents_exporter.serve.lane import Lane
from bioagents_exporter.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Level of compression. Measured on 100,000 lines: 1 takes 45 ms, 6 takes 120 ms, for 4 % of the bytes.
GZIP_LEVEL: Final = 1
_BUG: Final = "derive"  # cause of exporter_scrape_errors_total that is a bug of the exporter
_SHORTEST_WAIT: Final = 0.05  # seconds, for who joins a read that already takes long


class Source(Protocol):
    """What is needed of a reader; blocking."""

    def read(self) -> Snapshot:
        """Everything of one moment, or why it could not be read."""

    def audit(self) -> None:
        """One step of what is read in the background."""

    def close(self) -> None:
        """Close the connection."""


class CollectError(Exception):
    """A bug of the exporter kept it from answering; counted and logged."""


@dataclass(frozen=True)
class Collected:
    """The answer to one scrape."""

    snapshot: Snapshot
    families: tuple[Family, ...]
    text: bytes

    @cached_property
    def gzipped(self) -> bytes:
        """The text, compressed once for all who ask."""
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return packer.compress(self.text) + packer.flush()


class Collector:
    """One for each exporter. ``clock``: monotonic seconds."""

    def __init__(
        self, source: Source, settings: Settings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.trouble = "nothing was read yet"  # why the last read is of no use, or ""
        self._source, self._clock = source, clock
        self._memory = Memory()
        self._renderer = Renderer(prefix=settings.prefix, fleet=settings.fleet)
        # A scrape waits neither for the background reading nor for a page that is made.
        self._lane, self._background, self._side = Lane("read"), Lane("audit"), Lane("side")
        self._flight: asyncio.Future[Collected] | None = None
        self._began = 0.0
        self._bugs: dict[str, str] = {}  # where → what, as last logged

    async def scrape(self, budget: float) -> Collected:
        """Numbers of now; after ``budget`` seconds without an answer of Redis, what is known without it.

        Raises:
            CollectError: a bug, counted.
        """
        flight = self._flight
        if flight is None or flight.done():
            self._began = self._clock()
            flight = self._flight = self._lane.run(self._collect)
        patience = max(self._began + budget - self._clock(), _SHORTEST_WAIT)
        done, _ = await asyncio.wait((flight,), timeout=patience)  # whoever leaves does not end the read
        if done:
            return flight.result()
        flight.add_done_callback(_seen)
        return await self._side.run(self._without_redis)

    async def sample(self) -> None:
        """One sample for the window, and one step of the background reading."""
        await self._lane.run(lambda: self._guarded("sample", self._sample))
        await self._background.run(lambda: self._guarded("audit", self._source.audit))

    def aside(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Work that would hold up the event loop, not behind the reads."""
        return self._side.run(work)

    def error_totals(self) -> Mapping[str, int]:
        """What was left out since the start, by cause."""
        with self._memory.lock:
            return dict(self._memory.ledger.errors)

    def close(self) -> None:
        """Let go of threads and connection without waiting for what they do."""
        self._lane.run(self._source.close)
        for lane in (self._lane, self._background, self._side):
            lane.close()

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
        snapshot = self._source.read()
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
        """Count it, and log it unless it is the one of the last time."""
        self._memory.error(_BUG)
        what = f"{type(error).__name__}: {error}"
        if self._bugs.get(where) != what:
            log.error("exporter_bug where=%s error=%r", where, what, exc_info=error)
        self._bugs[where] = what

    def _fine(self, where: str) -> None:
        if self._bugs.pop(where, None):
            log.info("exporter_recovered where=%s", where)


def _seen(flight: asyncio.Future[Collected]) -> None:
    """Nobody waits for it any more: its error was counted where it happened."""
    if not flight.cancelled():
        flight.exception()
