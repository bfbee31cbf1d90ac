"""One version of the wire format: totals hashes, the sequences they belong to, the registry of queues."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from bioagents_exporter.read.connection import Reply, array, pack
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.heartbeats import HeartbeatReader
from bioagents_exporter.read.queues import Registry
from bioagents_exporter.read.snapshot import Store, Totals
from bioagents_worker.wire import EPOCH, SERVER, WHOLE_FLEET, WIRE_VERSION, Keys

#: Replies for each wire version besides its heartbeats and the totals of its queues.
WIRE_REPLIES: Final = 3

#: Redis integers, each with a line end. int() alone would take "1_0" and " 1" too.
_INTEGERS: Final = re.compile(rb"(?:-?\d{1,19}\n)+")
_INTEGER: Final = re.compile(rb"-?\d{1,19}")
#: Names come from the actors of a fleet; when there are more than this, the cache of names is emptied.
_MAX_NAMES: Final = 500_000


class WireVersion:
    """What is read of one version; the version before ours is read only while it is ``present`` in Redis."""

    def __init__(self, namespace: str, version: int) -> None:
        self.version, self.keys = version, Keys(namespace, version)
        self.present = version == WIRE_VERSION
        self.exists = pack("EXISTS", self.keys.seqs)
        self.registry = Registry()
        self.heartbeats = HeartbeatReader(self.keys.beats)
        self._decoder = TotalsDecoder(version)
        # The sequences come first: totals of a later epoch than theirs are left out, never believed.
        self.packed = (
            pack("HMGET", self.keys.seqs, EPOCH, SERVER)
            + pack("SMEMBERS", self.keys.queues)
            + self.totals_command(WHOLE_FLEET)
        )

    def totals_command(self, queue: str) -> bytes:
        """The command for the totals of one queue."""
        return pack("HGETALL", self.keys.totals(queue))

    def totals_batch(self, queues: Iterable[str]) -> bytes:
        """The commands for the totals of these queues."""
        return b"".join([self.totals_command(queue) for queue in queues])

    def take(self, replies: list[Reply], errors: Counter[str]) -> Store | None:
        """Take sequences and registry, the first two replies; return the store they describe."""
        sequences, registry = replies[:2]
        store = store_of(self.version, sequences, errors)
        if self.version != WIRE_VERSION and sequences == [None, None]:
            self.present = False
        self.registry.update(array(registry, errors), errors)
        return store

    def totals(self, queue: str, reply: Reply, errors: Counter[str]) -> Totals | None:
        """The totals of one queue; None without any, or where they cannot belong to an epoch."""
        return self._decoder.decode(queue, reply, errors)


class TotalsDecoder:
    """Remembers the last hash of each queue: most queues are quiet between two reads."""

    def __init__(self, wire: int) -> None:
        self._wire = wire
        self._last: dict[str, tuple[list[Reply], Totals | None, int]] = {}
        self._names = _Names()

    def decode(self, queue: str, reply: Reply, errors: Counter[str]) -> Totals | None:
        """The totals of one queue; None without any, or where they cannot belong to an epoch."""
        raw = array(reply, errors)
        if not raw:
            self._last.pop(queue, None)
            return None
        last = self._last.get(queue)
        if last is None or last[0] != raw:
            last = self._last[queue] = (raw, *self._parse(queue, raw))
        if last[2]:
            errors[Cause.BAD_TOTALS] += last[2]
        return last[1]

    def _parse(self, queue: str, raw: list[Reply]) -> tuple[Totals | None, int]:
        pairs = {
            k: v
            for k, v in zip(raw[::2], raw[1::2], strict=True)
            if isinstance(k, bytes) and isinstance(v, bytes)
        }
        good, bad = self._fields(pairs)
        epoch = good.pop(EPOCH, 0)
        if epoch <= 0:
            return None, 1
        return Totals(queue, self._wire, epoch, good), bad

    def _fields(self, pairs: dict[bytes, bytes]) -> tuple[dict[str, int], int]:
        if len(self._names) > _MAX_NAMES:
            self._names.clear()
        names = self._names
        try:
            if _INTEGERS.fullmatch(b"\n".join(pairs.values()) + b"\n"):
                return {names[name]: int(value) for name, value in pairs.items()}, 0
        except ValueError:  # a name that is not UTF-8, or a value of two lines
            pass
        good = {}
        for name, value in pairs.items():
            try:
                if _INTEGER.fullmatch(value):
                    good[names[name]] = int(value)
            except UnicodeDecodeError:
                continue  # counted below
        return good, len(pairs) - len(good)


class _Names(dict[bytes, str]):
    """Field names as text, each decoded once. Raises UnicodeDecodeError."""

    def __missing__(self, name: bytes) -> str:
        decoded = self[name] = name.decode()
        return decoded


def store_of(wire: int, reply: Reply, errors: Counter[str]) -> Store | None:
    """The data set and server process to which the totals belong; None before the first flush."""
    values = array(reply, errors)
    epoch, server = values if len(values) == 2 else (None, None)  # noqa: PLR2004 - a reply of HMGET with two
    if epoch is None:
        return None
    if isinstance(epoch, bytes) and _INTEGER.fullmatch(epoch) and isinstance(server, bytes):
        return Store(wire, int(epoch), server.decode(errors="replace"))
    errors[Cause.BAD_TOTALS] += 1
    return None
