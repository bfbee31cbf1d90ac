"""Every series that may be asked for, with its labels: the exporter's metrics, and what the rules record."""

from __future__ import annotations

from functools import cache

from bioagents_exporter.catalogue import FLEET_LABEL, METRICS
from support.rule_files import names, records

#: What a histogram's series are called beside its name.
ENDINGS = ("_bucket", "_count", "_sum")


@cache
def published() -> dict[str, frozenset[str]]:
    """Name of each series of the exporter → its labels."""
    found = {}
    for metric in METRICS:
        name, own = metric.full_name("bioagents_"), {FLEET_LABEL, *metric.labels, *metric.optional}
        endings = ENDINGS if metric.type == "histogram" else ("",)
        found |= {name + end: frozenset(own | ({"le"} if end == "_bucket" else set())) for end in endings}
    return found


@cache
def recorded() -> dict[str, frozenset[str]]:
    """Name of each recorded series → the labels of all that it is made of."""
    rules = {rule.name: rule.expression for rule in records()}

    def labels(name: str) -> frozenset[str]:
        if name in rules:
            return frozenset().union(*map(labels, names(rules[name]).metrics))
        return published().get(name, frozenset())

    return {name: labels(name) for name in rules}
