"""All heartbeats of one wire version, without a command that holds Redis up.

One HGETALL of 10,000 heartbeats of 500 bytes keeps Redis busy for 12 to 19 ms (measured): from a few thousand
on they are read in pieces, by the names that the last read found; HKEYS tells which are new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from bioagents_exporter.read.beats import BeatDecoder
from bioagents_exporter.read.resp import Reply, pack
from bioagents_exporter.read.snapshot import Worker
from bioagents_exporter.read.values import array

#: Heartbeats in one command.
PIECE: Final = 1000
#: More workers than this are read in pieces.
LARGE: Final = 2000


class WorkerReader:
    """In each read: ``first``, ``take_first``, ``second``, ``take_second``, ``workers``."""

    def __init__(self, key: str, wire: int) -> None:
        self._key, self._decoder = key, BeatDecoder(wire)
        self._in_pieces = False
        self._known: list[bytes] = []
        self._packed: tuple[bytes, int] = (b"", 0)
        self._new: list[bytes] = []
        self._names: list[Reply] = []
        self._values: list[Reply] = []

    @property
    def queues(self) -> set[str]:
        """Queues that any worker ever consumed."""
        return self._decoder.queues

    def expect(self, workers: Reply) -> None:
        """How many there are, before the first read."""
        self._in_pieces = isinstance(workers, int) and workers > LARGE

    def first(self) -> tuple[bytes, int]:
        """Commands of the first round trip, and how many they are."""
        if not self._in_pieces:
            return pack("HGETALL", self._key), 1
        packed, size = self._packed
        return pack("HKEYS", self._key) + packed, 1 + size

    def take_first(self, replies: Iterator[Reply], errors: Counter[str]) -> None:
        """The replies to ``first``."""
        names = array(next(replies), errors)
        if not self._in_pieces:
            self._names, self._values, self._new = names[::2], names[1::2], []
            return
        self._names, self._values = [], []
        self._take(self._known, replies, self._packed[1], errors)
        known = set(self._known)
        self._new = [name for name in names if isinstance(name, bytes) and name not in known]

    def second(self) -> tuple[bytes, int]:
        """Commands of the second round trip: workers that are new."""
        return self._pieces(self._new)

    def take_second(self, replies: Iterator[Reply], size: int, errors: Counter[str]) -> None:
        """The replies to ``second``."""
        self._take(self._new, replies, size, errors)

    def workers(self, errors: Counter[str]) -> list[Worker]:
        """The workers whose heartbeats can be read."""
        workers = self._decoder.decode(self._names, self._values, errors)
        self._names, self._values = [], []
        self._in_pieces = len(self._decoder.names) > LARGE
        names = self._decoder.names if self._in_pieces else []
        if names != self._known:
            self._known, self._packed = names, self._pieces(names)
        return workers

    def _pieces(self, names: Sequence[bytes]) -> tuple[bytes, int]:
        starts = range(0, len(names), PIECE)
        packed = [pack("HMGET", self._key, *names[start : start + PIECE]) for start in starts]
        return b"".join(packed), len(packed)

    def _take(
        self, names: Sequence[bytes], replies: Iterator[Reply], size: int, errors: Counter[str]
    ) -> None:
        for piece in range(size):
            values = array(next(replies), errors)
            self._names += names[piece * PIECE :][: len(values)]
            self._values += values
