"""The boards as files, in each form in which they can be installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.git_sync import resource
from bioagents_dashboards.shipped import (
    SOURCE,
    BoardJson,
    Choices,
    file_name,
    runbook_address,
    shipped_boards,
    with_choices,
    with_copies,
)

Json = dict[str, Any]

#: What Grafana's import screen replaces by the uid of the data source that a person chooses.
INPUT: Final = "DS_PROMETHEUS"
#: The first Grafana that writes this schemaVersion itself; others migrate it when they open a board.
GRAFANA: Final = "12.2.0"
_PROMETHEUS: Final = {"id": "prometheus", "name": "Prometheus"}
_PANELS: Final = {
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "timeseries": "Time series",
}

#: The label by which the sidecar of Grafana finds a board, and the annotation that names its folder.
LABEL: Final = "grafana_dashboard"
FOLDER: Final = "grafana_folder"
FOLDER_TITLE: Final = "BioAgents Monitor"


def to_text(board: Json) -> str:
    """JSON that a person can read and a review can compare."""
    return json.dumps(board, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def with_input(board: BoardJson) -> BoardJson:
    """The board with an input in place of the variable ``datasource``, and with what it needs of Grafana.

    KeyError for a type of panel that no board had before.
    """
    # Links carry the variable from board to board; here there is none to carry.
    text = json.dumps(board).replace(f"${{{SOURCE}:queryparam}}&", "")
    built = json.loads(text.replace(f"${{{SOURCE}}}", f"${{{INPUT}}}"))
    variables = built["templating"]["list"]
    built["templating"]["list"] = [one for one in variables if one["type"] != "datasource"]
    kinds = {panel["type"] for panel in built["panels"]} - {"row"}
    return {**built, "__inputs": [_input()], "__requires": _required(kinds)}


def _input() -> Json:
    return {
        "name": INPUT,
        "label": "Prometheus",
        "description": "The Prometheus that scrapes the exporter and evaluates the rules.",
        "type": "datasource",
        "pluginId": _PROMETHEUS["id"],
        "pluginName": _PROMETHEUS["name"],
    }


def _required(kinds: set[str]) -> list[Json]:
    return [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": GRAFANA},
        {"type": "datasource", **_PROMETHEUS, "version": "1.0.0"},
        *({"type": "panel", "id": kind, "name": _PANELS[kind], "version": ""} for kind in sorted(kinds)),
    ]


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it is, line by line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def config_map(board: BoardJson) -> str:
    """A ConfigMap with the classic JSON of one board, without a namespace."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"grafana-dashboard-{board['uid']}",
            "labels": {LABEL: "1", "app.kubernetes.io/part-of": "bioagents-monitor"},
            "annotations": {FOLDER: FOLDER_TITLE},
        },
        "data": {file_name(board): to_text(board)},
    }
    return str(yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True))


@dataclass(frozen=True, slots=True)
class Form:
    """One way to install boards; ``write`` makes the text of one file of a board."""

    summary: str
    ending: str
    write: Callable[[BoardJson], str]


FORMS: Final = {
    "classic": Form("for provisioning and the import screen, as they ship", ".json", to_text),
    "import": Form(
        "for grafana.com: the import screen asks for the data source, and dashboards have no variable for it",
        ".json",
        lambda board: to_text(with_input(board)),
    ),
    "configmap": Form("for the sidecar of Grafana on Kubernetes", ".yaml", config_map),
    "git-sync": Form(
        "for Git Sync of Grafana 13: v2 dashboard resources",
        ".json",
        lambda board: to_text(resource(board)),
    ),
}


def files(form: str, runbook_url: str | None = None, copy_labels: Sequence[str] = ()) -> dict[str, str]:
    """File name → text of every board; UsageError for an unknown form or an unusable address.

    ``copy_labels`` are further labels of targets in which copies of an exporter differ.
    """
    if form not in FORMS:
        raise UsageError(f"--form is {form!r}: expected {', '.join(FORMS)}")
    choices = Choices(runbooks=runbook_address(runbook_url) if runbook_url is not None else None)
    known = FORMS[form]
    boards = [with_copies(with_choices(board, choices), copy_labels) for board in shipped_boards()]
    return {Path(file_name(board)).stem + known.ending: known.write(board) for board in boards}


def write(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Write the files into ``folder``, which is made if missing; UsageError where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        reason = f"{error.strerror or error}: {error.filename}"
        raise UsageError(f"--output {str(folder)!r}: {reason}; expected a folder to write to") from error
    return [folder / name for name in texts]
