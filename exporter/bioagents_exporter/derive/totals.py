"""The highest total ever seen of each epoch, as DESIGN.md's transport asks for.

Prometheus reads any fall of a counter as a reset and adds the whole total to ``rate()``. So within an epoch a
total never falls here; a newer epoch is published at once, as the true reset that it is, an older one never.
Specified by ``tests/transport/model.py``, class ``Exporter``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from bioagents_exporter.read.server import Server
from bioagents_exporter.read.snapshot import Store, Totals

_INT64_MAX: Final = 2**63 - 1  # what Redis' HINCRBY can reach


class Held(NamedTuple):
    """The published totals of one queue."""

    wire: int
    queue: str  # "" is the fleet's own
    epoch: int
    fields: Mapping[str, int]  # only ever grows, in keys and values, until the epoch ends


class TotalsMemory:
    """Remembers one set of totals for each wire version and queue that was ever seen."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, str], Held] = {}

    def update(self, stores: Iterable[Store], totals: Iterable[Totals], server: str | None) -> list[Held]:
        """Take in one read; return what may be published.

        ``server`` is the run_id of the server that was read, or None where it cannot be compared (see
        :func:`comparable_run_id`). Left out is what belongs to a data set of another server process, or
        to another epoch than its store's.
        """
        epochs = {store.wire: store.epoch for store in stores if _same_server(store, server)}
        published = []
        for read in totals:
            before = self._held.get((read.wire, read.queue))
            if read.epoch != epochs.get(read.wire) or (before and read.epoch < before.epoch):
                continue
            published.append(self._raise(before, read))
        return published

    def _raise(self, before: Held | None, read: Totals) -> Held:
        if before is None or read.epoch > before.epoch:
            # What was published goes on at 0: a series that came back later, higher, would hide its reset.
            highest: dict[str, int] = dict.fromkeys(before.fields, 0) if before else {}
            held = self._held[read.wire, read.queue] = Held(read.wire, read.queue, read.epoch, highest)
            # Sorted: copies that begin with the same totals know the fields in the same order.
            new: Iterable[tuple[str, int]] = sorted(read.fields.items())
        else:
            held, new = before, read.fields.items()
            highest = held.fields  # type: ignore[assignment] # read-only for others
        for name, value in new:
            if highest.get(name, -1) < value <= _INT64_MAX:
                highest[name] = value
        return held


def comparable_run_id(server: Server) -> str | None:
    """The run_id to compare with a store's, or None.

    A replica has a run_id of its own, and the data of its primary; a managed service may hide it.
    """
    return None if server.role == "slave" else server.run_id or None


def _same_server(store: Store, server: str | None) -> bool:
    # Workers write "" where the run_id is hidden from them.
    return server is None or store.server in {"", server}
