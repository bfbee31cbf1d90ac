"""One variant as a value, and the rules that it makes of those that ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import yaml

from bioagents_alerts.locate import rules_folder
from bioagents_alerts.scale import Node
from bioagents_alerts.variants import objectives
from bioagents_alerts.variants.constants import BY_ALERT
from bioagents_alerts.variants.objectives import Objective
from bioagents_alerts.variants.rewrite import Rewriter, Series
from bioagents_alerts.variants.selector import COPIES, Matcher
from bioagents_exporter.catalogue import FLEET_LABEL, METRICS, Metric
from bioagents_exporter.settings.model import DEFAULT_PREFIX

RUNBOOKS: Final = "http://127.0.0.1:9877/runbooks"
GRAFANA: Final = "http://127.0.0.1:3000"

#: What Prometheus itself writes for each target; of their labels, ours are those of the target.
OF_TARGETS: Final = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_post_metric_relabeling",
    "scrape_samples_scraped",
    "scrape_series_added",
)


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs from the rules that ship; all of it is valid."""

    prefix: str = DEFAULT_PREFIX
    selector: tuple[Matcher, ...] = ()
    constants: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    objectives: tuple[Objective, ...] = ()
    runbook_url: str = RUNBOOKS
    dashboard_url: str = GRAFANA


def build(variant: Variant) -> dict[str, list[Node]]:
    """File name → its groups, for every rule file that ships."""
    shipped = {
        path.name: yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for path in sorted(rules_folder().glob("*.yml"))
    }
    builder = _Builder(variant, Rewriter(_names(variant, _records(list(shipped.values())))))
    return {name: [builder.group(group) for group in groups] for name, groups in shipped.items()}


def _records(node: Node) -> set[str]:
    """The names of all recording rules."""
    if isinstance(node, list):
        return set().union(*map(_records, node))
    if not isinstance(node, dict):
        return set()
    record = node.get("record")
    return {record} if isinstance(record, str) else _records(node.get("rules") or [])


def _names(variant: Variant, records: set[str]) -> dict[str, Series]:
    """Whatever the rules may name, and what becomes of it."""
    targets = tuple(matcher for matcher in variant.selector if matcher.label != FLEET_LABEL)
    recorded = tuple(matcher for matcher in variant.selector if matcher.label not in COPIES)
    known = {name: Series(name, targets, word=name == "up") for name in OF_TARGETS}
    known |= {name: Series(_renamed(name, variant.prefix), recorded) for name in records}
    for metric in METRICS:
        for ending in _endings(metric):
            name = metric.full_name(variant.prefix) + ending
            known[metric.full_name(DEFAULT_PREFIX) + ending] = Series(name, variant.selector)
        if metric.type == "histogram":  # nothing has this name but what people write
            known[metric.full_name(DEFAULT_PREFIX)] = Series(metric.full_name(variant.prefix))
    return known


def _endings(metric: Metric) -> tuple[str, ...]:
    return ("_bucket", "_count", "_sum") if metric.type == "histogram" else ("",)


def _renamed(record: str, prefix: str) -> str:
    return record.replace(f":{DEFAULT_PREFIX}", f":{prefix}", 1)


@dataclass(frozen=True, slots=True)
class _Builder:
    variant: Variant
    rewriter: Rewriter

    def group(self, group: Node) -> Node:
        if not isinstance(group, dict) or not isinstance(rules := group["rules"], list):
            raise TypeError(f"no group of rules: {group!r}")
        return {**group, "rules": [self._rule(rule) for rule in rules if isinstance(rule, dict)]}

    def _rule(self, rule: dict[str, Node]) -> Node:
        rule = self._with_numbers(rule)
        changed = {**rule, "expr": self.rewriter.expression(str(rule["expr"]))}
        if isinstance(record := rule.get("record"), str):
            changed["record"] = _renamed(record, self.variant.prefix)
        if isinstance(annotations := rule.get("annotations"), dict):
            changed["annotations"] = {
                key: self._annotation(key, str(text)) for key, text in annotations.items()
            }
        return changed

    def _with_numbers(self, rule: dict[str, Node]) -> dict[str, Node]:
        alert, record = str(rule.get("alert")), str(rule.get("record"))
        if alert in self.variant.constants:
            return BY_ALERT[alert].apply(rule, self.variant.constants[alert])
        mine = tuple(found for found in self.variant.objectives if objectives.RECORDS[found.name] == record)
        return {**rule, "expr": objectives.apply(str(rule["expr"]), mine)} if mine else rule

    def _annotation(self, key: str, text: str) -> str:
        if key == "runbook_url":
            return _rebased(text, RUNBOOKS, self.variant.runbook_url)
        if key == "dashboard_url":
            return _rebased(text, GRAFANA, self.variant.dashboard_url)
        return self.rewriter.template(text)


def _rebased(url: str, old: str, new: str) -> str:
    if not url.startswith(f"{old}/"):
        raise ValueError(f"{url} is not below {old}")
    return new + url.removeprefix(old)
