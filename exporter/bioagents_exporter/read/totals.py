"""Totals hashes and the sequences they belong to, as the wire format has them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.resp import Reply
from bioagents_exporter.read.snapshot import Store, Totals
from bioagents_exporter.read.values import array

_EPOCH: Final = b"__epoch"
#: Redis integers, each with a line end. int() alone would take "1_0" and " 1" too.
_INTEGERS: Final = re.compile(rb"(?:-?\d{1,19}\n)+")
_INTEGER: Final = re.compile(rb"-?\d{1,19}")
#: Names come from a fleet's actors; more than this and they are not ours to remember.
_MAX_NAMES: Final = 500_000


class TotalsDecoder:
    """Remembers the last hash of each queue: most queues are quiet between two reads."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str], tuple[list[Reply], Totals | None, int]] = {}
        self._names = _Names()

    def decode(self, wire: int, queue: str, reply: Reply, errors: Counter[str]) -> Totals | None:
        """The totals of one queue; None without any, or where they cannot belong to an epoch."""
        raw = array(reply, errors)
        if not raw:
            self._last.pop((wire, queue), None)
            return None
        last = self._last.get((wire, queue))
        if last is None or last[0] != raw:
            last = self._last[wire, queue] = (raw, *self._parse(wire, queue, raw))
        if last[2]:
            errors[Cause.BAD_TOTALS] += last[2]
        return last[1]

    def _parse(self, wire: int, queue: str, raw: list[Reply]) -> tuple[Totals | None, int]:
        pairs = {
            k: v
            for k, v in zip(raw[::2], raw[1::2], strict=True)
            if isinstance(k, bytes) and isinstance(v, bytes)
        }
        good, bad = self._fields(pairs)
        epoch = good.pop("__epoch", 0)
        if epoch <= 0:
            return None, 1
        return Totals(queue, wire, epoch, good), bad

    def _fields(self, pairs: dict[bytes, bytes]) -> tuple[dict[str, int], int]:
        if len(self._names) > _MAX_NAMES:
            self._names.clear()
        names = self._names
        try:
            if _INTEGERS.fullmatch(b"\n".join(pairs.values()) + b"\n"):
                return {names[name]: int(value) for name, value in pairs.items()}, 0
        except ValueError:  # a name that is no UTF-8, or a value of two lines
            pass
        good = {}
        for name, value in pairs.items():
            try:
                if _INTEGER.fullmatch(value):
                    good[names[name]] = int(value)
            except UnicodeDecodeError:
                continue
        return good, len(pairs) - len(good)


class _Names(dict[bytes, str]):
    """Field names as text, each decoded once. Raises UnicodeDecodeError."""

    def __missing__(self, name: bytes) -> str:
        decoded = self[name] = name.decode()
        return decoded


def store_of(wire: int, reply: Reply, errors: Counter[str]) -> Store | None:
    """To which data set and server process the totals belong; None before the first flush."""
    values = array(reply, errors)
    epoch, server = values if len(values) == 2 else (None, None)  # noqa: PLR2004 - a reply of HMGET with two
    if epoch is None:
        return None
    if isinstance(epoch, bytes) and _INTEGER.fullmatch(epoch) and isinstance(server, bytes):
        return Store(wire, int(epoch), server.decode(errors="replace"))
    errors[Cause.BAD_TOTALS] += 1
    return None
