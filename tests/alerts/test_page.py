"""The commands and the Python of the pages about the rules run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/get-started/alerts.md", "docs/how-to/try-alerts.md")
TEXT = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
#: Takes minutes; test_promtool.py runs its cases, each with the rules that it is about.
TESTS_OF_RULES = "promtool test rules alerts/tests/*.yml"


@pytest.mark.parametrize("command", [line for line in COMMANDS if line != TESTS_OF_RULES])
def test_a_command_of_the_page_succeeds(command: str) -> None:
    """As a reader pastes it, at the root of a checkout."""
    subprocess.run(command, shell=True, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S602


def test_the_python_of_the_page_runs(tmp_path: Path) -> None:
    """And Prometheus and Alertmanager accept what it wrote."""
    (code,) = [text for kind, text in BLOCKS if kind == "python"]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=tmp_path)
    for check in (("promtool", "check", "config"), ("amtool", "check-config")):
        name = "prometheus.yml" if check[0] == "promtool" else "alertmanager.yml"
        subprocess.run([*check, f"try-alerts/{name}"], check=True, cwd=tmp_path, stdout=subprocess.DEVNULL)
