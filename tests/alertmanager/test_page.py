"""The commands of docs/how-to/alertmanager.md run, and its tables describe the configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from alertmanager.manager import ALERTS_FOLDER, SECRETS
from bioagents_alerts import alertmanager_file
from bioagents_alerts.durations import milliseconds

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "alertmanager.md").read_text(encoding="utf-8")
CONFIG = yaml.safe_load(alertmanager_file().read_text(encoding="utf-8"))


def test_the_commands_of_the_page_succeed(tmp_path: Path) -> None:
    """As a reader pastes them, at the root of a checkout."""
    shutil.copytree(
        ALERTS_FOLDER, tmp_path / "alerts", ignore=shutil.ignore_patterns("*.py", "rules", "tests")
    )
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for command in block.splitlines():
            subprocess.run(  # noqa: S602 - a page's own command
                command, shell=True, check=True, cwd=tmp_path, stdout=subprocess.DEVNULL,
                env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            )  # fmt: skip


def _names(matchers: list[str]) -> set[str]:
    """What an inhibition says of alert names, one by one."""
    patterns = [re.split("=~|!~|!?=", one, maxsplit=1)[1] for one in matchers if one.startswith("alertname")]
    return {name.removesuffix(".+") for pattern in patterns for name in pattern.strip('"').split("|")}


def test_every_alert_that_an_inhibition_names_is_in_the_table() -> None:
    """On the page's row of its source."""
    table = PAGE.split("## Inhibited alerts")[1].split("\n- ")[0]
    for rule in CONFIG["inhibit_rules"]:
        sources, targets = _names(rule["source_matchers"]), _names(rule["target_matchers"])
        rows = [row for row in table.splitlines() if row.startswith("|")]
        rows = [row for row in rows if all(name in row.split("|")[1] for name in sources)]
        assert any(all(name in row for name in targets) for row in rows), (sources, targets)


def test_the_waits_are_those_of_the_table() -> None:
    """How long a first message waits, and when it is repeated."""
    words = {"at once": "0s", "20 s": "20s", "30 s": "30s", "every hour": "1h", "every 12 hours": "12h"}
    words["every 60 to 90 s"] = "1m"  # a repetition waits for the end of a group's interval of 30 s
    table = PAGE.split("## Routes")[1].split("\n\n")[1]
    rows = re.findall(r"\| `(\w+)`: [^|]*\| ([^|]+) \| ([^|]+) \|", table)
    assert [row[0] for row in rows] == ["page", "ticket", "watchdog"]
    for receiver, first, repeated in rows:
        routes = [CONFIG["route"], *CONFIG["route"]["routes"]]
        waits = [CONFIG["route"] | route for route in routes if route["receiver"] == receiver]
        assert {(wait["group_wait"], wait["repeat_interval"]) for wait in waits} == {
            (words[first], words[repeated])
        }, receiver


def test_a_page_waits_for_what_explains_it() -> None:
    """Longer than an evaluation of the rules takes to come; RedisDown is there then."""
    (page,) = [route for route in CONFIG["route"]["routes"] if route["receiver"] == "page"]
    assert 15_000 < milliseconds(page["group_wait"]) <= 30_000


def test_every_secret_is_in_the_table() -> None:
    """Each is a file that a user has to write."""
    for example in ALERTS_FOLDER.glob("alertmanager-*.yml"):
        for name in re.findall(rf"{SECRETS}/(\S+)", example.read_text(encoding="utf-8")):
            assert f"`{name}`" in PAGE
