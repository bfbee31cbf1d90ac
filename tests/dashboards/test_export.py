"""``bioagents dashboards export``: every form, made from the boards as they ship, without Grafana's SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bioagents_dashboards.export import FOLDER_TITLE, FORMS, INPUT, files
from bioagents_dashboards.push.survey import DEFAULT_TITLE
from bioagents_dashboards.shipped import boards_folder
from support.boards import Json, boards, hold, panels
from support.checkout import ROOT

from .conftest import refused, run

MASTERS = boards()
IMPORTED = {name: json.loads(text) for name, text in files("import").items()}
CONFIG_MAPS = files("configmap")

#: What Grafana itself puts in place.
OF_GRAFANA = {"__all", "__data", "__rate_interval", "__url_time_range"}

#: Of Kubernetes: a ConfigMap's data; the annotation in which a client-side `kubectl apply` keeps a copy.
CONFIG_MAP_LIMIT = 1024 * 1024
ANNOTATION_LIMIT = 256 * 1024


# The command.


@pytest.mark.parametrize("form", FORMS)
def test_export_writes_every_board_and_says_so(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file for each board, in a folder that is made, a line for each; what else is there stays."""
    folder = tmp_path / "new" / "folder"
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("stays")
    out = run(capsys, "export", "--form", form, "--output", str(folder / "deeper"))
    written = {path.name: path.read_text() for path in (folder / "deeper").iterdir()}
    assert written == files(form)
    assert out.splitlines() == [f"written  {folder / 'deeper' / name}" for name in files(form)]
    assert {Path(name).stem for name in written} == {Path(name).stem for name in MASTERS}
    run(capsys, "export", "--form", form, "--output", str(folder))
    assert (folder / "mine.txt").read_text() == "stays"


def test_classic_form_is_what_ships() -> None:
    """Byte by byte."""
    assert files("classic") == {path.name: path.read_text() for path in boards_folder().iterdir()}


@pytest.mark.parametrize("form", FORMS)
def test_address_of_the_runbooks(form: str) -> None:
    """`--runbook-url` replaces the shipped address everywhere, in every form."""
    for text in files(form, "https://wiki.example.org/runbooks/").values():
        assert '"https://wiki.example.org/runbooks"' in text
        assert "127.0.0.1:9877" not in text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--output", "x"), "no form: expected --form with classic, import, configmap, git-sync"),
        (("--form", "classic"), "no folder: expected --output FOLDER"),
        (
            ("--form", "helm", "--output", "x"),
            "--form is 'helm': expected classic, import, configmap, git-sync",
        ),
        (("--form", "import", "--output", "x", "--runbook-url", "wiki"), "--runbook-url is 'wiki': expected"),
        (
            ("--form", "import", "--output", "a-file"),
            "--output 'a-file': File exists: a-file; expected a folder",
        ),
        (
            ("--form", "import", "--output", "a-file/x"),
            "--output 'a-file/x': Not a directory: a-file/x; expected a folder",
        ),
        (("--forn", "import"), "unknown flag --forn (did you mean --form?)"),
    ],
)
def test_bad_input(
    flags: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line, status 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    Path("a-file").write_text("")
    assert message in refused(capsys, "export", *flags)
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the file, not only the folder."""
    monkeypatch.chdir(tmp_path)
    Path("out/queue.json").mkdir(parents=True)
    error = refused(capsys, "export", "--form", "classic", "--output", "out")
    assert "--output 'out': Is a directory: out/queue.json; expected a folder to write to" in error


# For the import screen, with an input.


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


def test_imported_board_asks_the_same() -> None:
    """The same panels, queries, variables and annotations, under the same uid and file name."""
    assert {name: asked(board) for name, board in IMPORTED.items()} == {
        name: asked(board) for name, board in MASTERS.items()
    }


def test_imported_board_asks_for_its_data_source() -> None:
    """Everything that asks Prometheus refers to the one input, and there is no variable for it."""

    def check(board: Json) -> None:
        (wanted,) = board["__inputs"]
        assert (wanted["name"], wanted["type"], wanted["pluginId"]) == (INPUT, "datasource", "prometheus")
        assert not [one for one in board["templating"]["list"] if one["type"] == "datasource"]
        source = {"type": "prometheus", "uid": f"${{{INPUT}}}"}
        queried = [one for one in board["templating"]["list"] if one["type"] == "query"]
        for part in (*panels(board), *queried, *board["annotations"]["list"]):
            assert part["datasource"] == source
            assert all(target["datasource"] == source for target in part.get("targets", []))

    hold(IMPORTED.values(), check)


def test_imported_board_leaves_no_variable_unresolved() -> None:
    """Whatever it names is an input, one of its variables, or Grafana's own."""

    def check(board: Json) -> None:
        known = OF_GRAFANA | {INPUT} | {variable["name"] for variable in board["templating"]["list"]}
        used = {found for text in strings(board) for found in re.findall(r"\$\{?(\w+)", text)}
        carried = {found for text in strings(board) for found in re.findall(r"[?&]var-(\w+)=", text)}
        assert used | carried <= known

    hold(IMPORTED.values(), check)


def test_imported_board_says_what_it_needs() -> None:
    """Grafana, Prometheus, and each type of panel once."""

    def check(board: Json) -> None:
        needed = [(one["type"], one["id"]) for one in board["__requires"]]
        kinds = sorted({panel["type"] for panel in panels(board)})
        assert needed == [
            ("grafana", "grafana"), ("datasource", "prometheus"), *(("panel", kind) for kind in kinds)
        ]  # fmt: skip
        assert all(one["name"] for one in board["__requires"])

    hold(IMPORTED.values(), check)


# For Kubernetes.


def test_config_maps_are_those_of_kubernetes() -> None:
    """By the schemas of the oldest and of the newest Kubernetes that the validator has."""
    for version in ("1.25", kubernetes_validate.latest_version()):
        for text in CONFIG_MAPS.values():
            kubernetes_validate.validate(yaml.safe_load(text), version, strict=True)


def test_config_map_holds_the_board_itself() -> None:
    """The file of ``dashboards/json``, in lines that a review can compare, small enough for kubectl."""

    def check(text: str) -> None:
        resource = yaml.safe_load(text)
        ((name, held),) = resource["data"].items()
        assert held == (boards_folder() / name).read_text()
        assert f"\n  {name}: |\n" in text
        assert re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name)
        assert len(held.encode()) < CONFIG_MAP_LIMIT
        assert len(json.dumps(resource).encode()) < ANNOTATION_LIMIT

    hold(CONFIG_MAPS.values(), check)


def test_config_map_is_found_by_the_sidecar() -> None:
    """By its label, a text; the folder's title is that of the other ways to bring boards in."""
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/bioagents.yml").read_text())
    assert {provider["providers"][0]["folder"], DEFAULT_TITLE} == {FOLDER_TITLE}

    def check(text: str) -> None:
        metadata = yaml.safe_load(text)["metadata"]
        assert metadata["labels"]["grafana_dashboard"] == "1"
        assert metadata["annotations"]["grafana_folder"] == FOLDER_TITLE

    hold(CONFIG_MAPS.values(), check)


def test_names_of_config_maps_are_names_of_dns() -> None:
    """RFC 1123: labels of at most 63 characters; each is there once."""
    names = [yaml.safe_load(text)["metadata"]["name"] for text in CONFIG_MAPS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)
