"""Published totals: the highest value of each epoch, and where each series is among the fields of a hash.

Prometheus reads any fall of a counter as a reset and adds the whole total to ``rate()``. So within an epoch a
total never falls here; a newer epoch is published at once, as the true reset that it is, an older one never
(specified by ``tests/transport/model.py``, class ``Exporter``).

A hash keeps its field names for long and changes its values all the time. So names are parsed once, into
positions; each scrape then only picks numbers (measured: 60,000 fields in 15 ms rather than 70 ms).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, NamedTuple

from bioagents_exporter.derive.family import Key
from bioagents_exporter.read.info import Server
from bioagents_exporter.read.snapshot import Store, Totals
from bioagents_worker.wire import (
    BUCKETS,
    COUNTERS,
    DURATION,
    MAX_EXCEPTIONS,
    OTHER,
    WAIT,
    WIRE_VERSION,
    parse_actor_field,
)

Pick = Callable[[Sequence[int]], tuple[int, ...]]

_INT64_MAX: Final = 2**63 - 1  # what Redis' HINCRBY can reach
_COMPLETED: Final = ("succeeded", "dead", "skipped")


class PublishedTotals(NamedTuple):
    """The published totals of one queue."""

    wire: int
    queue: str  # "" is the fleet's own
    epoch: int
    fields: Mapping[str, int]  # only ever grows, in keys and values, until the epoch ends


class TotalsMemory:
    """Remembers one set of totals for each wire version and queue that was ever seen."""

    def __init__(self) -> None:
        self._published: dict[tuple[int, str], PublishedTotals] = {}

    def update(
        self, stores: Iterable[Store], totals: Iterable[Totals], server: str | None
    ) -> list[PublishedTotals]:
        """Take in one read; return what may be published.

        ``server`` is the run_id of the server that was read, or None where it cannot be compared (see
        :func:`comparable_run_id`). Left out is what belongs to a data set of another server process, or
        to another epoch than its store's.
        """
        epochs = {store.wire: store.epoch for store in stores if _same_server(store, server)}
        published = []
        for read in totals:
            before = self._published.get((read.wire, read.queue))
            if read.epoch != epochs.get(read.wire) or (before and read.epoch < before.epoch):
                continue
            published.append(self._highest(before, read))
        return published

    def _highest(self, before: PublishedTotals | None, read: Totals) -> PublishedTotals:
        if before is None or read.epoch > before.epoch:
            # What was published goes on at 0: a series that came back later, higher, would hide its reset.
            highest: dict[str, int] = dict.fromkeys(before.fields, 0) if before else {}
            published = self._published[read.wire, read.queue] = PublishedTotals(
                read.wire, read.queue, read.epoch, highest
            )
            # Sorted: copies that begin with the same totals know the fields in the same order.
            new: Iterable[tuple[str, int]] = sorted(read.fields.items())
        else:
            published, new = before, read.fields.items()
            highest = published.fields  # type: ignore[assignment] # read-only for others
        for name, value in new:
            if highest.get(name, -1) < value <= _INT64_MAX:
                highest[name] = value
        return published


def comparable_run_id(server: Server) -> str | None:
    """The run_id to compare with a store's, or None.

    A replica has a run_id of its own, and the data of its primary; a managed service may hide it.
    """
    return None if server.role == "slave" else server.run_id or None


def _same_server(store: Store, server: str | None) -> bool:
    # Workers write "" where the run_id is hidden from them.
    return server is None or store.server in {"", server}


class QueueTotals(NamedTuple):
    """Totals of one queue, all actors together."""

    attempts: int = 0
    failures: int = 0
    completions: int = 0  # jobs that will not run again
    arrivals: int = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """How to pick one actor's numbers from the values of a hash (see :func:`values_of`)."""

    key: Key
    counters: Pick  # one number for each of COUNTERS
    duration: Pick  # the buckets, not cumulative, then the sum in microseconds
    wait: Pick
    failures: tuple[tuple[Key, tuple[int, ...]], ...]  # series → positions to be added up


@dataclass(frozen=True, slots=True)
class Layout:
    """How to pick the numbers of one hash."""

    fields: Mapping[str, int]  # of which this is the layout
    size: int  # how many fields it had
    actors: tuple[Actor, ...]
    sums: tuple[tuple[int, ...], ...]  # positions to be added up, for each of QueueTotals

    def sum_up(self, values: Sequence[int]) -> QueueTotals:
        """All actors together."""
        return QueueTotals(*(sum(values[i] for i in positions) for positions in self.sums))


class Layouts:
    """One layout for each hash, made again when the fields of the hash change."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[int, str], Layout] = {}

    def of(self, published: PublishedTotals) -> Layout:
        """The layout of a hash as it is now."""
        layout = self._layouts.get((published.wire, published.queue))
        if layout is None or layout.fields is not published.fields or layout.size != len(published.fields):
            layout = self._layouts[published.wire, published.queue] = _lay_out(published)
        return layout


def values_of(published: PublishedTotals) -> list[int]:
    """The values in the order of the fields, then the 0 of every field that does not exist."""
    return [*published.fields.values(), 0]


@dataclass(slots=True)
class _Positions:
    """The positions of one actor's fields, by kind and detail (see :class:`ActorField`)."""

    at: dict[tuple[str, str], int] = field(default_factory=dict)
    exceptions: dict[str, list[int]] = field(default_factory=lambda: {OTHER: []})

    def add(self, kind: str, detail: str, position: int) -> None:
        if kind != "failures":
            self.at[kind, detail] = position
            return
        room = len(self.exceptions) <= MAX_EXCEPTIONS  # (other) is among them and does not count
        name = detail if room or detail in self.exceptions else OTHER
        self.exceptions.setdefault(name, []).append(position)

    def pick(self, fields: Iterable[tuple[str, str]]) -> Pick:
        return itemgetter(*(self.at.get(each, -1) for each in fields))

    def histogram(self, kind: str) -> Pick:
        return self.pick([*((kind, str(i)) for i in range(len(BUCKETS) + 1)), (f"{kind}_us", "")])


def _lay_out(published: PublishedTotals) -> Layout:
    actors: dict[str, _Positions] = {}
    for position, name in enumerate(published.fields):
        parsed = parse_actor_field(name)
        if parsed:
            actors.setdefault(parsed.actor, _Positions()).add(parsed.kind, parsed.detail, position)
    extra = wire_label(published.wire)
    return Layout(
        published.fields,
        len(published.fields),
        tuple(_actor((published.queue, name), extra, found) for name, found in sorted(actors.items())),
        _sums(actors.values()),
    )


def _actor(key: Key, extra: Key, positions: _Positions) -> Actor:
    return Actor(
        key + extra,
        positions.pick((counter, "") for counter in COUNTERS),
        positions.histogram(DURATION),
        positions.histogram(WAIT),
        tuple(((*key, name, *extra), tuple(at)) for name, at in sorted(positions.exceptions.items())),
    )


def _sums(actors: Iterable[_Positions]) -> tuple[tuple[int, ...], ...]:
    """The positions that :class:`QueueTotals` adds up."""
    kinds = [(kind, at) for actor in actors for (kind, _), at in actor.at.items()]
    return (
        tuple(at for kind, at in kinds if kind == "processed"),
        tuple(at for actor in actors for places in actor.exceptions.values() for at in places),
        tuple(at for kind, at in kinds if kind in _COMPLETED),
        tuple(at for kind, at in kinds if kind == "enqueued"),
    )


def wire_label(wire: int) -> Key:
    """The optional last part of a total's key."""
    return () if wire == WIRE_VERSION else (str(wire),)
