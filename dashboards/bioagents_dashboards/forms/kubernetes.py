"""ConfigMaps for the sidecar beside Grafana, in kube-prometheus-stack and in Grafana's Helm chart."""

from __future__ import annotations

from typing import Final

import yaml

from bioagents_dashboards.drawing.identity import Identity

#: The label by which the sidecar finds a board, and the annotation that may name its folder.
LABEL: Final = "grafana_dashboard"
FOLDER: Final = "grafana_folder"
FOLDER_TITLE: Final = "BioAgents Monitor"


class _Dumper(yaml.SafeDumper):
    """A file inside of the document stays as it is, line by line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def config_map(identity: Identity, text: str) -> str:
    """A ConfigMap with the JSON of one board, for the namespace of whoever applies it."""
    resource = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"grafana-dashboard-{identity.uid}",
            "labels": {LABEL: "1", "app.kubernetes.io/part-of": "bioagents-monitor"},
            "annotations": {FOLDER: FOLDER_TITLE},
        },
        "data": {identity.file_name: text},
    }
    return str(yaml.dump(resource, Dumper=_Dumper, sort_keys=False, allow_unicode=True))
