"""A metric, and a metric with its series: what the derive part passes to the render part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Type = Literal["counter", "gauge", "histogram"]
Number = int | float

#: The values of a metric's labels, in the order of ``Metric.labels`` and then ``Metric.optional``; a series
#: without the optional labels has a shorter key.
Key = tuple[str, ...]

#: The label of every series, before all others.
FLEET_LABEL: Final = "fleet"

#: Carried by totals that are not of the current wire version, after all other labels.
WIRE_LABEL: Final = "wire"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """The descriptor of one metric.

    ``labels`` are in the order of a series' key, without ``fleet``, which every series carries, and without
    ``le``. ``optional`` labels come last and are missing from most series.
    """

    name: str  # without the prefix
    type: Type
    labels: tuple[str, ...]
    unit: str  # "" if the value has none
    help: str  # one sentence
    formula: str  # how it is calculated, for the reference page
    optional: tuple[str, ...] = ()
    prefixed: bool = True  # false: a name that Prometheus' client libraries share

    def full_name(self, prefix: str) -> str:
        """The name as Prometheus sees it."""
        return prefix + self.name if self.prefixed else self.name


def by_queue(name: str, unit: str, text: str, formula: str) -> Metric:
    """A gauge with the label ``queue`` alone."""
    return Metric(name, "gauge", ("queue",), unit, text, formula)


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
    """A metric without labels, except ``fleet``."""
    return Family(metric, [()], [value])


def known(metric: Metric, keys: Sequence[Key], values: Iterable[Number | None]) -> Family:
    """A metric without the series whose value is None: what was not read is left out."""
    found = list(values)
    read = [value for value in found if value is not None]
    if len(read) == len(found):  # the same list of keys renders faster
        return Family(metric, keys, read)
    return Family(metric, [key for key, value in zip(keys, found, strict=True) if value is not None], read)
