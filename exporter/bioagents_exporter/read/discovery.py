"""Queues that no registry names: found by their messages hash, in a slow scan in the background.

This finds the queues of fleets without our middleware. It never runs in a scrape; a scan of all keys is made
of small steps, with a pause before the next one begins.

Only names that Dramatiq lets an actor have count. After ``dramatiq:`` the keys of another fleet, with the
namespace ``dramatiq:staging``, would be queues of this one.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Final

from bioagents_exporter.read.connection import Connection, Reply, pack, refused
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.queues import queue_name
from bioagents_exporter.settings.values import QUEUE

#: SCANs in one step, each over this many keys (well below a millisecond of Redis' time).
SCANS: Final = 10
KEYS: Final = 1000
#: Seconds between the end of a pass and the next.
PAUSE: Final = 60.0
#: TYPEs in one step; what is left over waits for the next.
TYPES: Final = 500
#: Names that are remembered at most.
MAX_FOUND: Final = 20_000

_MESSAGES: Final = b".msgs"
_PARTS: Final = (b".DQ", b".XQ")
_GLOB: Final = re.compile(r"([*?\[\]\\^-])")


class Discovery:
    """Finds the queues of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.found: set[str] = set()
        self._prefix = f"{namespace}:".encode()
        self._pattern = _GLOB.sub(r"\\\1", namespace) + ":*" + _MESSAGES.decode()
        self._cursor = b"0"
        self._next = 0.0
        self._waiting: dict[bytes, str] = {}  # key to check → queue

    def step(self, connection: Connection, errors: Counter[str]) -> None:
        """A few SCANs, then the types of what they found. Raises ReadError."""
        for _ in range(SCANS):
            if self._waiting or time.monotonic() < self._next:
                break
            self._scan(connection, errors)
        self._check(connection, errors)

    def _scan(self, connection: Connection, errors: Counter[str]) -> None:
        command = pack("SCAN", self._cursor, "MATCH", self._pattern, "COUNT", KEYS)
        match connection.call(command, 1)[0]:
            case [bytes(cursor), list(keys)]:
                self._cursor = cursor
                self._take(keys, errors)
            case reply:
                refused(reply, errors)
                self._cursor = b"0"
        if self._cursor == b"0":
            self._next = time.monotonic() + PAUSE

    def _take(self, keys: list[Reply], errors: Counter[str]) -> None:
        for key in keys:
            if not isinstance(key, bytes):
                continue
            raw = key.removeprefix(self._prefix).removesuffix(_MESSAGES)
            raw = raw[:-3] if raw.endswith(_PARTS) else raw
            if b":" in raw or raw.startswith(b"__"):
                continue  # of a namespace within ours; Dramatiq's own
            name = queue_name(raw)
            if name is None or not QUEUE.fullmatch(name):
                errors[Cause.BAD_NAME] += 1
            elif name not in self.found and len(self.found) < MAX_FOUND:
                self._waiting[key] = name

    def _check(self, connection: Connection, errors: Counter[str]) -> None:
        """Only hashes are messages of a queue; anything may be named like one."""
        keys = list(self._waiting)[:TYPES]
        if not keys:
            return
        types = connection.call(b"".join([pack("TYPE", key) for key in keys]), len(keys))
        for key, kind in zip(keys, types, strict=True):
            name = self._waiting.pop(key)
            if kind == b"hash":
                self.found.add(name)
            else:
                refused(kind, errors)
