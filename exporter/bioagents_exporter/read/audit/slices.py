"""Queues with more holders than one step has commands for: a part of them in each step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bioagents_exporter.read.audit.brokers import Holder

#: Holders of one queue in one step.
MAX_HOLDERS: Final = 1400


@dataclass(slots=True)
class _Walk:
    after: bytes = b""  # the last holder that was looked at
    orphaned: int | None = 0  # so far in this round
    complete: int | None = None  # of the last round


class Slices:
    """Remembers how far each such queue is."""

    def __init__(self) -> None:
        self._walks: dict[str, _Walk] = {}

    def next(self, queue: str, holders: Sequence[Holder]) -> tuple[Sequence[Holder], bool]:
        """The holders to look at now, and whether these are all."""
        if len(holders) <= MAX_HOLDERS:
            self._walks.pop(queue, None)
            return holders, True
        walk = self._walks.setdefault(queue, _Walk())
        ordered = sorted(holders, key=lambda holder: holder.id)
        start = bisect_right(ordered, walk.after, key=lambda holder: holder.id)
        chosen = ordered[start : start + MAX_HOLDERS]
        walk.after = chosen[-1].id if start + MAX_HOLDERS < len(ordered) else b""
        return chosen, False

    def orphaned(self, queue: str, found: int | None) -> int | None:
        """The orphans of all holders, from those ``found`` at the chosen; None before a first round ends."""
        walk = self._walks.get(queue)
        if walk is None:
            return found
        walk.orphaned = None if found is None or walk.orphaned is None else walk.orphaned + found
        if not walk.after:
            walk.complete, walk.orphaned = walk.orphaned, 0
        return walk.complete
