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
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboardv2 as v2

from bioagents_dashboards.export import FOLDER_TITLE, FORMS, INPUT, files
from bioagents_dashboards.git_sync import API
from bioagents_dashboards.push.survey import DEFAULT_TITLE
from bioagents_dashboards.shipped import boards_folder
from support.boards import Json, boards, hold, panels
from support.checkout import ROOT

from .conftest import refused, run

MASTERS = boards()
IMPORTED = {name: json.loads(text) for name, text in files("import").items()}
RESOURCES = {name: json.loads(text) for name, text in files("git-sync").items()}
CONFIG_MAPS = files("configmap")

#: What Grafana itself puts in place.
OF_GRAFANA = {"__all", "__data", "__rate_interval", "__url_time_range"}

#: Of Kubernetes: a ConfigMap's data; the annotation in which a client-side `kubectl apply` keeps a copy.
CONFIG_MAP_LIMIT = 1024 * 1024
ANNOTATION_LIMIT = 256 * 1024

#: The classic form's numbers in the words of the second schema.
CURSOR = {0: "Off", 1: "Crosshair", 2: "Tooltip"}
REFRESH = {0: "never", 1: "onDashboardLoad", 2: "onTimeRangeChanged"}
SORT = {0: "disabled", 1: "alphabeticalAsc"}
#: Of a board's queries to Prometheus.
QUERY = {"kind": "DataQuery", "group": "prometheus", "version": "v0", "datasource": {"name": "${datasource}"}}


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
    """It replaces the shipped one everywhere, in every form."""
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
        (("--form", "import", "--output", "a-file"), "--output 'a-file': File exists; expected a folder"),
        (
            ("--form", "import", "--output", "a-file/x"),
            "--output 'a-file/x': Not a directory; expected a folder",
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
    """The very file of ``dashboards/json``, in lines that a review can compare, small enough for kubectl."""

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


# For Git Sync: nothing of the classic board is lost or changed on the way.


def test_resources_are_those_of_the_schema() -> None:
    """Grafana's SDK reads each part and writes the same: no field is unknown, none is missing."""

    def check(resource: Json) -> None:
        spec = resource["spec"]
        for element in spec["elements"].values():  # the SDK's PanelKind cannot read what it writes
            data, shown = element["spec"]["data"], element["spec"]["vizConfig"]["spec"]["fieldConfig"]
            assert encoded(v2.QueryGroupKind.from_json(data)) == data
            assert encoded(v2.FieldConfigSource.from_json(shown)) == shown
        rebuilt = {
            "layout": v2.RowsLayoutKind.from_json(spec["layout"]),
            "annotations": [v2.AnnotationQueryKind.from_json(note) for note in spec["annotations"]],
            "timeSettings": v2.TimeSettingsSpec.from_json(spec["timeSettings"]),
            "links": [v2.DashboardLink.from_json(link) for link in spec["links"]],
            "variables": [KINDS[one["kind"]].from_json(one) for one in spec["variables"]],
        }
        assert encoded(rebuilt) == {key: spec[key] for key in rebuilt}

    hold(RESOURCES.values(), check)


def encoded(built: object) -> Any:  # noqa: ANN401 - JSON
    """What the SDK writes of its own values."""
    return json.loads(JSONEncoder().encode(built))


KINDS: dict[str, Any] = {
    "DatasourceVariable": v2.DatasourceVariableKind,
    "QueryVariable": v2.QueryVariableKind,
    "TextVariable": v2.TextVariableKind,
}


def both() -> list[tuple[str, Json, Json]]:
    """Name, classic board, resource."""
    return [(name, MASTERS[name], RESOURCES[name]) for name in MASTERS]


def test_each_board_is_a_resource() -> None:
    """Under the same file name; the resource's name is the uid, which Kubernetes takes as a name."""
    assert sorted(RESOURCES) == sorted(MASTERS)
    for _, master, resource in both():
        assert (resource["apiVersion"], resource["kind"]) == (API, "Dashboard")
        assert resource["metadata"] == {"name": master["uid"]}
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", resource["metadata"]["name"])


def test_the_frame_is_the_same() -> None:
    """Title, question, tags, time, links, and that nobody saves over it by accident."""
    for _, master, resource in both():
        spec = resource["spec"]
        for key in ("title", "description", "tags", "editable", "links"):
            assert spec[key] == master[key]
        assert spec["cursorSync"] == CURSOR[master["graphTooltip"]]
        time = spec["timeSettings"]
        assert {"from": time["from"], "to": time["to"]} == master["time"]
        assert (time["autoRefresh"], time["timezone"]) == (master["refresh"], master["timezone"])


def panel_element(panel: Json) -> Json:
    """What a panel becomes, word by word."""
    apart = {"datasource", "refId"}
    queries = [
        {
            "kind": "PanelQuery",
            "spec": {
                "refId": target["refId"],
                "hidden": False,
                "query": QUERY | {"spec": {k: v for k, v in target.items() if k not in apart}},
            },
        }
        for target in panel["targets"]
    ]
    changes = [
        {"kind": "Transformation", "group": change["id"], "spec": {"options": change["options"]}}
        for change in panel.get("transformations", [])
    ]
    options = {key: panel[key] for key in ("maxDataPoints",) if key in panel}
    shown = {"options": panel["options"], "fieldConfig": panel["fieldConfig"]}
    return {
        "id": panel["id"],
        "title": panel["title"],
        "description": panel["description"],
        "transparent": False,
        "links": [],
        "data": {
            "kind": "QueryGroup",
            "spec": {"queries": queries, "transformations": changes, "queryOptions": options},
        },
        "vizConfig": {"kind": "VizConfig", "group": panel["type"], "version": "", "spec": shown},
    }


def test_the_panels_are_the_same() -> None:
    """Every query with its resolution, every option, unit, threshold, override and transformation."""
    for _, master, resource in both():
        elements = resource["spec"]["elements"]
        wanted = {f"panel-{panel['id']}": panel_element(panel) for panel in panels(master)}
        assert {key: one["spec"] for key, one in elements.items()} == wanted
        assert {one["kind"] for one in elements.values()} == {"Panel"}


def test_the_layout_is_the_same() -> None:
    """Each panel once, under its row, where the classic board has it, counted from the row's own top."""
    for _, master, resource in both():
        wanted: list[tuple[str | None, list[tuple[Any, ...]]]] = [(None, [])]
        for panel in master["panels"]:
            if panel["type"] == "row":
                wanted.append((panel["title"], []))
            else:
                at = panel["gridPos"]
                wanted[-1][1].append((f"panel-{panel['id']}", at["x"], at["w"], at["h"], at["y"]))
        rows = [row["spec"] for row in resource["spec"]["layout"]["spec"]["rows"]]
        found = [(row.get("title"), _places(row)) for row in rows]
        assert found == [(title, _from_the_top(places)) for title, places in wanted]
        assert [bool(row.get("hideHeader")) for row in rows] == [True, *[False] * (len(rows) - 1)]


def _places(row: Json) -> list[tuple[Any, ...]]:
    specs = [item["spec"] for item in row["layout"]["spec"]["items"]]
    return [(s["element"]["name"], s["x"], s["width"], s["height"], s["y"]) for s in specs]


def _from_the_top(places: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    top = min(place[-1] for place in places)
    return [(*place[:-1], place[-1] - top) for place in places]


def test_the_variables_are_the_same() -> None:
    """Their queries, and what is chosen at first."""
    kinds = {"datasource": "DatasourceVariable", "query": "QueryVariable", "textbox": "TextVariable"}
    for _, master, resource in both():
        found = {one["spec"]["name"]: one for one in resource["spec"]["variables"]}
        assert list(found) == [one["name"] for one in master["templating"]["list"]]
        for variable in master["templating"]["list"]:
            one = found[variable["name"]]
            assert one["kind"] == kinds[variable["type"]]
            assert one["spec"]["label"] == variable["label"]
            assert one["spec"].get("description") == variable.get("description")
            if variable["type"] == "query":
                _same_query(one["spec"], variable)
        assert found["datasource"]["spec"]["pluginId"] == "prometheus"
        runbooks = master["templating"]["list"][-1]
        assert found["runbooks"]["spec"]["query"] == runbooks["query"]
        assert found["runbooks"]["spec"]["current"] == runbooks["current"]


def _same_query(spec: Json, master: Json) -> None:
    assert spec["query"] == QUERY | {"spec": master["query"]}
    same = ("definition", "multi", "includeAll", "allValue", "current", "allowCustomValue")
    assert {k: spec[k] for k in same} == {k: master[k] for k in same}
    assert spec["regex"] == master.get("regex", "")
    assert (spec["refresh"], spec["sort"]) == (REFRESH[master["refresh"]], SORT[master["sort"]])


def test_the_annotations_are_the_same() -> None:
    """The fields that belong to Prometheus are where the schema keeps them."""
    for _, master, resource in both():
        for classic, note in zip(master["annotations"]["list"], resource["spec"]["annotations"], strict=True):
            spec = note["spec"]
            assert spec["query"] == QUERY | {"spec": {}}
            for key in ("name", "enable", "hide", "iconColor", "placement"):
                assert spec[key] == classic[key]
            about = {"datasource", "builtIn", "name", "enable", "hide", "iconColor", "placement"}
            assert spec["legacyOptions"] == {k: v for k, v in classic.items() if k not in about}
