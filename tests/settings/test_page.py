"""docs/reference/settings.md describes each setting as the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bioagents_exporter.settings import Limits, QueueLimits, SettingsError
from bioagents_exporter.settings.load import load
from bioagents_exporter.settings.model import OPTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text("utf-8")


def test_the_table_is_the_table_of_the_code() -> None:
    """Flag, variables, default, meaning; nothing missing, nothing more, in the same order."""
    rows = [
        f"| `{option.flag}` | {', '.join(f'`{name}`' for name in option.variables)} "
        f"| {option.default} | {option.help} |"
        for option in OPTIONS
    ]
    assert [re.sub(" +", " ", line) for line in PAGE.splitlines() if line.startswith("| `--")] == [
        re.sub(" +", " ", row) for row in rows
    ]


def test_the_key_of_a_setting_is_its_flag() -> None:
    """So the page need not list the keys."""
    assert [f"--{option.key}" for option in OPTIONS] == [option.flag for option in OPTIONS]


def test_the_example_file_is_good_and_shows_the_defaults(tmp_path: Path) -> None:
    """What people copy works."""
    (example,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "limits:" in block)
    file = tmp_path / "exporter.yml"
    file.write_text(example)
    settings = load({"config.file": str(file)}, {})
    assert settings.queues == ("chat", "deep-research")
    assert settings.limits == Limits(
        QueueLimits(), {"deep-research": QueueLimits(depth=10, wait_seconds=3600.0)}
    )


def test_the_errors_are_those_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word."""
    monkeypatch.chdir(tmp_path)
    Path("exporter.yml").write_text("redis:\n  namespace: a\n  heartbeat-timeout: soon\n")
    for flags in ({"config.file": "exporter.yml"}, {"collect.workers": "some"}):
        with pytest.raises(SettingsError) as caught:
            load(flags, {})
        assert f"bioagents exporter: {caught.value}\n" in PAGE
