"""docs/how-to/manage-dashboards.md shows what push and check print, against the stand-in for Grafana."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

import pytest

from bioagents_cli.main import main
from bioagents_dashboards.shipped import SAVED_BY
from support.boards import boards, panels
from support.checkout import ROOT
from support.grafana_stand_in import Board, GrafanaStandIn, Loss

PAGE = (ROOT / "docs/how-to/manage-dashboards.md").read_text(encoding="utf-8")
SHOWN = "https://grafana.example.org"


def transcripts() -> Iterator[tuple[list[str], str]]:
    """Each command of the page that shows what it prints, and that."""
    for block in re.findall(r"```\n(\$ bioagents dashboards .*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield shlex.split(command)[1:], output


def of_another_release(grafana: GrafanaStandIn) -> None:
    """It had another form of one board, lacked one, and had one more."""
    boards = grafana.state.boards
    fleet = boards["bioagents-fleet"]
    variables = [it for it in fleet.body["templating"]["list"] if it["name"] != "region"]
    panels = [*fleet.body["panels"], {"title": "Jobs by hour", "type": "timeseries"}]
    fleet.body = {**fleet.body, "panels": panels, "refresh": "1m", "templating": {"list": variables}}
    fleet.messages[-1] = f"{SAVED_BY}0123456789abcdef"
    del boards["bioagents-slo"]
    old = {**fleet.body, "title": "Throughput", "uid": "bioagents-throughput"}
    boards["bioagents-throughput"] = Board(old, fleet.folder, list(fleet.messages))


def a_connection_breaks(grafana: GrafanaStandIn) -> None:
    """After the folder and two boards."""
    grafana.state.boards.clear()
    grafana.state.folders.clear()
    grafana.state.loss = Loss("POST /dashboards/db", "request", after=2)


def an_old_grafana(grafana: GrafanaStandIn) -> None:
    grafana.state.version = "11.6.1"


def edited(grafana: GrafanaStandIn) -> None:
    grafana.edit("bioagents-queue")


def nothing(_: GrafanaStandIn) -> None:
    """The page goes on from where it is."""


#: What happens before each command of the page, and with which status that ends.
STORY: list[tuple[Callable[[GrafanaStandIn], object], int]] = [
    (nothing, 0),
    (nothing, 0),
    (of_another_release, 0),
    (nothing, 1),
    (nothing, 0),
    (edited, 2),
    (a_connection_breaks, 2),
    (an_old_grafana, 2),
]


def test_page_shows_what_is_printed(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, but for the address and the numbers of panels; the statuses are as described."""
    shown = list(transcripts())
    assert len(shown) == len(STORY)
    for (argv, output), (happens, status) in zip(shown, STORY, strict=True):
        happens(grafana)
        assert main(argv) == status
        printed = "".join(capsys.readouterr()).replace(grafana.url, SHOWN)
        assert without_counts(output) == without_counts(printed)


def without_counts(text: str) -> str:
    """So that a new panel does not change the page."""
    return re.sub(r"\d+ panels, \d+ variables", "panels and variables", text)


def test_numbers_are_those_of_the_boards(grafana: GrafanaStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run shows as many panels and variables as each board has."""
    grafana.state.boards.clear()
    assert main(["dashboards", "push", "--dry-run"]) == 0
    output = capsys.readouterr().out
    described = re.findall(r"'([^']+)'  \S+  \((\d+) panels, (\d+) variables\)", output)
    expected = [(board["title"], panels(board), board["templating"]["list"]) for board in boards().values()]
    assert sorted(described) == sorted((title, f"{len(p)}", f"{len(v)}") for title, p, v in expected)
