"""What the derive part hands to the render part: a metric with its series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bioagents_exporter.catalogue import Metric

Number = int | float

#: The values of a metric's labels, in the order of ``Metric.labels`` and then ``Metric.optional``; a series
#: without the optional labels has a shorter key.
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The series of one metric: a key and a value each, no key twice.

    A histogram has as many values for each key as it has buckets (cumulative, the last being +Inf), then its
    sum and its count. Values are ints or floats, never bools.
    """

    metric: Metric
    keys: Sequence[Key]
    values: Sequence[Number]


def single(metric: Metric, value: Number) -> Family:
    """A metric without labels of its own."""
    return Family(metric, [()], [value])


def known(metric: Metric, keys: Sequence[Key], values: Iterable[Number | None]) -> Family:
    """A metric without the series whose value is None: what was not read is left out."""
    found = list(values)
    read = [value for value in found if value is not None]
    if len(read) == len(found):  # the same list of keys renders faster
        return Family(metric, keys, read)
    return Family(metric, [key for key, value in zip(keys, found, strict=True) if value is not None], read)
