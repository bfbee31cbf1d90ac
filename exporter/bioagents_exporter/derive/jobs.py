"""Totals of the fleet, by queue and actor, and the fleet's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from bioagents_exporter.catalogue import Metric
from bioagents_exporter.catalogue import jobs as m
from bioagents_exporter.derive.family import Family, Key, Number
from bioagents_exporter.derive.layout import values_of, wire_label
from bioagents_worker.wire import COUNTERS, FLEET

if TYPE_CHECKING:
    from bioagents_exporter.derive.totals import Held
    from bioagents_exporter.derive.view import View

_COUNTERS: Final = dict(
    zip(
        COUNTERS,
        (m.ENQUEUED, m.PROCESSED, m.SUCCEEDED, m.RETRIES, m.DEAD, m.SKIPPED, m.REDELIVERED),
        strict=True,
    )
)
_MICRO: Final = 1_000_000


def families(view: View) -> Iterator[Family]:
    """Every series of every known actor; a field that does not exist is 0."""
    yield from _by_actor(view)
    yield from _of_the_fleet([held for held in view.totals if held.queue == FLEET])


def _by_actor(view: View) -> Iterator[Family]:
    keys: list[Key] = []
    rows: list[tuple[int, ...]] = []
    failure_keys: list[Key] = []
    failures: list[int] = []
    durations: list[Number] = []
    waits: list[Number] = []
    for held in view.totals:
        if held.queue == FLEET:
            continue
        values = values_of(held)
        for actor in view.layouts.of(held).actors:
            keys.append(actor.key)
            rows.append(actor.counters(values))
            durations += _histogram(actor.duration(values))
            waits += _histogram(actor.wait(values))
            for key, positions in actor.failures:
                failure_keys.append(key)
                failures.append(sum(values[i] for i in positions))
    for metric, column in zip(_COUNTERS.values(), zip(*rows, strict=True), strict=False):
        yield Family(metric, keys, column)
    yield Family(m.FAILURES, failure_keys, failures)
    yield Family(m.DURATION, keys, durations)
    yield Family(m.WAIT, keys, waits)


def _histogram(picked: Sequence[int]) -> list[Number]:
    """Cumulative buckets, the sum in seconds, the count; from buckets apart and a sum in microseconds."""
    values: list[Number] = [*accumulate(picked[:-1])]
    count, total_us = values[-1], picked[-1]
    values += (total_us / _MICRO, count)
    return values


def _of_the_fleet(totals: Sequence[Held]) -> Iterator[Family]:
    boots = [
        ((name.partition("|")[2], *wire_label(held.wire)), n)
        for held in totals
        for name, n in held.fields.items()
        if name.startswith("boots|")
    ]
    yield Family(m.BOOTS, [key for key, _ in boots], [n for _, n in boots])
    yield _fleet_counter(m.DROPPED, "dropped|", totals)
    yield _fleet_counter(m.MIDDLEWARE_ERRORS, "errors|", totals)


def _fleet_counter(metric: Metric, name: str, totals: Sequence[Held]) -> Family:
    return Family(
        metric,
        [wire_label(held.wire) for held in totals],
        [held.fields.get(name, 0) for held in totals],
    )
