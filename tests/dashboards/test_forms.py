"""The boards in each form in which people bring them in: what the code builds, and what each form must be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bioagents_dashboards.forms.kubernetes import FOLDER_TITLE
from bioagents_dashboards.forms.upload import INPUT
from bioagents_dashboards.forms.write import files, write
from bioagents_dashboards.locate import boards_folder
from bioagents_dashboards.push.place import DEFAULT_TITLE
from support.boards import Json, boards, panels
from support.checkout import ROOT

FOLDERS = boards_folder().parent
MASTERS = boards()
UPLOADED = {path.name: json.loads(path.read_text()) for path in sorted((FOLDERS / "import").iterdir())}
CONFIG_MAPS = {path.name: path.read_text() for path in sorted((FOLDERS / "kubernetes").iterdir())}

EACH_UPLOADED = pytest.mark.parametrize("name", UPLOADED)
EACH_CONFIG_MAP = pytest.mark.parametrize("text", CONFIG_MAPS.values(), ids=CONFIG_MAPS)

#: What Grafana itself puts in place.
OF_GRAFANA = {"__all", "__data", "__rate_interval", "__url_time_range"}

#: Of Kubernetes: a ConfigMap's data; the annotation in which a client-side `kubectl apply` keeps a copy.
CONFIG_MAP_LIMIT = 1024 * 1024
ANNOTATION_LIMIT = 256 * 1024


def strings(value: object) -> Iterator[str]:
    """Each text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def asked(board: Json) -> dict[str, Any]:
    """What a board draws and asks, whatever its form."""
    return {
        "panels": [
            (panel["id"], panel["title"], panel["type"], panel["gridPos"], panel.get("options"))
            for panel in board["panels"]
        ],
        "queries": [
            (panel["title"], target["refId"], target["expr"])
            for panel in panels(board)
            for target in panel["targets"]
        ],
        "variables": {
            variable["name"]: variable["query"]
            for variable in board["templating"]["list"]
            if variable["type"] != "datasource"
        },
        "annotations": {note["name"]: note["expr"] for note in board["annotations"]["list"]},
        "about": {
            key: board[key] for key in ("uid", "title", "description", "tags", "time", "schemaVersion")
        },
    }


def test_committed_files_are_what_the_code_builds() -> None:
    """``python -m bioagents_dashboards build`` changes nothing and leaves nothing else there."""
    built = files()
    folders = sorted({name.split("/")[0] for name in built})
    committed = {
        f"{folder}/{path.name}": path.read_text()
        for folder in folders
        for path in (FOLDERS / folder).iterdir()
    }
    assert committed == built


def test_build_removes_boards_that_are_gone(tmp_path: Path) -> None:
    """A board that the code no longer builds does not stay behind in any form."""
    for folder in ("json", "import", "kubernetes"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "old.json").write_text("{}")
    assert sorted(write(tmp_path)) == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_each_form_has_every_board() -> None:
    """Under the same name."""
    assert list(UPLOADED) == list(MASTERS)
    assert [Path(name).stem for name in CONFIG_MAPS] == [Path(name).stem for name in MASTERS]


@EACH_UPLOADED
def test_uploaded_board_asks_the_same(name: str) -> None:
    """The same panels, queries, variables and annotations, under the same uid."""
    assert asked(UPLOADED[name]) == asked(MASTERS[name])


@EACH_UPLOADED
def test_uploaded_board_asks_for_its_data_source(name: str) -> None:
    """Everything that asks Prometheus refers to the one input, and there is no variable for it."""
    board = UPLOADED[name]
    (wanted,) = board["__inputs"]
    assert (wanted["name"], wanted["type"], wanted["pluginId"]) == (INPUT, "datasource", "prometheus")
    assert not [one for one in board["templating"]["list"] if one["type"] == "datasource"]
    source = {"type": "prometheus", "uid": f"${{{INPUT}}}"}
    queried = [one for one in board["templating"]["list"] if one["type"] == "query"]
    for part in (*panels(board), *queried, *board["annotations"]["list"]):
        assert part["datasource"] == source
        assert all(target["datasource"] == source for target in part.get("targets", []))


@EACH_UPLOADED
def test_uploaded_board_leaves_no_variable_unresolved(name: str) -> None:
    """Whatever it names is an input, one of its variables, or Grafana's own."""
    board = UPLOADED[name]
    known = OF_GRAFANA | {INPUT} | {variable["name"] for variable in board["templating"]["list"]}
    used = {found for text in strings(board) for found in re.findall(r"\$\{?(\w+)", text)}
    carried = {found for text in strings(board) for found in re.findall(r"[?&]var-(\w+)=", text)}
    assert used | carried <= known


@EACH_UPLOADED
def test_uploaded_board_says_what_it_needs(name: str) -> None:
    """Grafana, Prometheus, and each type of panel once."""
    board = UPLOADED[name]
    needed = [(one["type"], one["id"]) for one in board["__requires"]]
    kinds = sorted({panel["type"] for panel in panels(board)})
    assert needed == [
        ("grafana", "grafana"), ("datasource", "prometheus"), *(("panel", kind) for kind in kinds)
    ]  # fmt: skip
    assert all(one["name"] for one in board["__requires"])


@EACH_CONFIG_MAP
def test_config_map_is_one_of_kubernetes(text: str) -> None:
    """By the schemas of the oldest and of the newest Kubernetes that the validator has."""
    for version in ("1.25", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(yaml.safe_load(text), version, strict=True)


@EACH_CONFIG_MAP
def test_config_map_holds_the_board_itself(text: str) -> None:
    """The very file of ``dashboards/json``, in lines that a review can compare."""
    resource = yaml.safe_load(text)
    ((name, held),) = resource["data"].items()
    assert held == (FOLDERS / "json" / name).read_text()
    assert f"\n  {name}: |\n" in text
    assert re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name)


@EACH_CONFIG_MAP
def test_config_map_is_found_by_the_sidecar(text: str) -> None:
    """By its label, a text; the folder's title is that of the other ways to bring boards in."""
    metadata = yaml.safe_load(text)["metadata"]
    assert metadata["labels"]["grafana_dashboard"] == "1"
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/bioagents.yml").read_text())
    folders = {provider["providers"][0]["folder"], DEFAULT_TITLE, FOLDER_TITLE}
    assert folders == {metadata["annotations"]["grafana_folder"]}


@EACH_CONFIG_MAP
def test_config_map_fits(text: str) -> None:
    """Into a ConfigMap, and into what a client-side ``kubectl apply`` writes beside it."""
    resource = yaml.safe_load(text)
    assert sum(len(held.encode()) for held in resource["data"].values()) < CONFIG_MAP_LIMIT
    assert len(json.dumps(resource).encode()) < ANNOTATION_LIMIT


def test_names_of_config_maps_are_names_of_dns() -> None:
    """RFC 1123: labels of at most 63 characters; each is there once."""
    names = [yaml.safe_load(text)["metadata"]["name"] for text in CONFIG_MAPS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)


@EACH_UPLOADED
def test_uids_are_short_enough(name: str) -> None:
    """Grafana takes 40 characters; the same uid in each form, each once."""
    assert 0 < len(UPLOADED[name]["uid"]) <= 40
    assert [board["uid"] for board in UPLOADED.values()].count(UPLOADED[name]["uid"]) == 1
