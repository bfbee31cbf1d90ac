"""The rules that ship: one module for each file of alerts/rules, two where one would be long."""

from __future__ import annotations

from bioagents_alerts.builder import Builder, Variant
from bioagents_alerts.model import Record, RuleFile
from bioagents_alerts.source import exporter, jobs, meta, queues, redis, slo, workers

#: The files in the order in which a test evaluates their groups: what is recorded comes before what reads it.
_FILES = (redis, exporter, jobs, queues, workers, slo, meta)


def build(variant: Variant) -> list[RuleFile]:
    """Every file of rules, for one variant."""
    builder = Builder(variant)
    return [file.rules(builder) for file in _FILES]


def record_names() -> frozenset[str]:
    """Every series that the rules record, with the default prefix."""
    groups = [group for file in build(Variant()) for group in file.groups]
    return frozenset(rule.name for group in groups for rule in group.rules if isinstance(rule, Record))
