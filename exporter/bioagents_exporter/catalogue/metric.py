"""What is known of a metric before any number of it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Type = Literal["counter", "gauge", "histogram"]

#: The label of every series, before all others.
FLEET_LABEL: Final = "fleet"

#: Carried by totals that are not of the current wire version, after all other labels.
WIRE_LABEL: Final = "wire"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric.

    ``labels`` are those of its own, in the order of a series' key: without ``fleet``, which every series
    carries, and without ``le``. ``optional`` labels come last and are missing from most series.
    """

    name: str  # without the prefix
    type: Type
    labels: tuple[str, ...]
    unit: str  # "" for what only states facts
    help: str  # one sentence
    formula: str  # from what it is worked out, for the reference page
    optional: tuple[str, ...] = ()
    prefixed: bool = True  # false: a name that Prometheus' client libraries share

    def full_name(self, prefix: str) -> str:
        """The name as Prometheus sees it."""
        return prefix + self.name if self.prefixed else self.name
