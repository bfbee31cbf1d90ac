"""The committed boards against what the preview can draw; it needs neither Node nor its packages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from support.boards import Json, boards, hold
from support.checkout import ROOT

PREVIEW: Final = ROOT / "dashboards" / "preview"
KNOWN: Final[dict[str, list[str]]] = json.loads((PREVIEW / "known.json").read_text())
PACKAGES: Final[dict[str, str]] = json.loads((PREVIEW / "package.json").read_text())["dependencies"]


def every_panel(board: Json) -> Iterator[Json]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def units(panel: Json) -> Iterator[Any]:
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    yield config["defaults"].get("unit", "short")
    for override in config["overrides"]:
        yield from (each["value"] for each in override["properties"] if each["id"] == "unit")


def test_the_preview_knows_each_panel() -> None:
    """A kind of panel is added to known.json once its picture was looked at."""

    def check(board: Json) -> None:
        assert {panel["type"] for panel in every_panel(board)} <= set(KNOWN["panels"])

    hold(boards().values(), check)


def test_the_preview_knows_each_transformation() -> None:
    """A transformation is added to known.json once its picture was looked at."""

    def check(board: Json) -> None:
        used = {each["id"] for panel in every_panel(board) for each in panel.get("transformations") or []}
        assert used <= set(KNOWN["transformations"])

    hold(boards().values(), check)


def test_the_preview_knows_each_unit() -> None:
    """A unit is added to known.json first: Grafana shows the name of an unknown unit after each number."""

    def check(board: Json) -> None:
        assert {unit for panel in every_panel(board) for unit in units(panel)} <= set(KNOWN["units"])

    hold(boards().values(), check)


def test_no_panel_is_repeated() -> None:
    """The preview would draw it once."""

    def check(board: Json) -> None:
        assert not [panel["title"] for panel in every_panel(board) if panel.get("repeat")]

    hold(boards().values(), check)


def test_what_is_known_is_sorted_and_named_once() -> None:
    """Two people who add a line each do not meet at the end of the list."""
    assert all(names == sorted(set(names)) for names in KNOWN.values())


def test_packages_have_exact_versions() -> None:
    """No lock file is committed: it would name a registry."""
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in PACKAGES.values())


def test_of_grafana_only_what_is_under_our_licence() -> None:
    """Its other packages are under AGPL or not needed."""
    assert {name for name in PACKAGES if name.startswith("@grafana/")} == {
        "@grafana/data", "@grafana/i18n", "@grafana/schema", "@grafana/ui",
    }  # fmt: skip
