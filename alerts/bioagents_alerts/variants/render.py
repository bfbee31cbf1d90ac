"""Rules as text: files for Prometheus, or one resource for its operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import yaml

from bioagents_alerts.scale import Node

RESOURCE_FILE: Final = "prometheusrule.yaml"
DEFAULT_NAME: Final = "bioagents"


@dataclass(frozen=True, slots=True)
class Resource:
    """Where a PrometheusRule lives; its labels are what the Prometheus resource selects it by."""

    name: str = DEFAULT_NAME
    namespace: str = ""  # empty: that of whoever applies it
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def prometheus_files(rules: Mapping[str, list[Node]], header: str) -> dict[str, str]:
    """One file for each that ships."""
    return {name: header + _dump({"groups": groups}) for name, groups in rules.items()}


def prometheus_document(rules: Mapping[str, list[Node]], header: str) -> str:
    """All groups in one document."""
    return header + _dump({"groups": [group for groups in rules.values() for group in groups]})


def operator_document(rules: Mapping[str, list[Node]], resource: Resource, header: str) -> str:
    """A PrometheusRule with all groups."""
    metadata: dict[str, Node] = {"name": resource.name}
    if resource.namespace:
        metadata["namespace"] = resource.namespace
    if resource.labels:
        metadata["labels"] = dict(resource.labels)
    return header + _dump(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": metadata,
            "spec": {"groups": [group for groups in rules.values() for group in groups]},
        }
    )


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines stay so, and nothing is an alias of something else."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _dump(document: Node) -> str:
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
