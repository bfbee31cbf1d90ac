"""Every setting, flag and variable that a page names exists."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Final

import yaml
from dramatiq.cli import make_argument_parser

from bioagents_cli.main import COMMANDS, main
from bioagents_demo.reference.environment import NAMESPACE, SPEED, URLS
from bioagents_exporter.catalogue import METRICS
from bioagents_exporter.settings import QueueLimits, Settings
from bioagents_exporter.settings.load import KEYS, load
from bioagents_exporter.settings.model import OPTIONS
from support.checkout import ROOT

#: The pages that users read; the changelog also names what no longer exists.
PAGES: Final = (*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
#: Flags of other programs that pages name without the program.
FOREIGN: Final = {
    "--pid": "docker run",
    "--server-side": "kubectl apply",
    "--strict": "mkdocs build",
    "--web.external-url": "prometheus, alertmanager",
}
#: Parameters of dramatiq's RedisBroker; settings have the same names with a dash.
BROKER: Final = frozenset({"heartbeat_timeout", "dead_message_ttl", "namespace", "url"})
#: All that `setting …` may name: keys of the file, their sections, the limits.
SETTINGS: Final = frozenset({option.key for option in OPTIONS} | {*KEYS, "limits"})

_FLAG: Final = re.compile(r"(?<![\w-])--[a-z][\w.-]*")
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_BLOCK: Final = re.compile(r"```(\w*)(?: \w+)?\n(.*?)```", re.DOTALL)
_CALL: Final = re.compile(r"\bbioagents ([a-z]+(?: [^|;&#`]*)?)")
_LISTED: Final = re.compile(r"\bsettings? ((?:`[^`\n]+`(?:, | and | or )?)+)")
_SECTION: Final = re.compile(r"(redis|web|collect|metrics|config|limits)\.[a-z][a-z.-]*")
_FILE: Final = re.compile(r"\.(conf|md|py|yml|yaml|json|sock)$")


def inline(page: Path) -> list[str]:
    """What is in backquotes in the text of a page."""
    return _INLINE.findall(_BLOCK.sub("", page.read_text("utf-8")))


def calls(page: Path) -> Iterator[list[str]]:
    """The words of each call of ``bioagents`` on a page, the command first."""
    for line in page.read_text("utf-8").replace("\\\n", " ").splitlines():
        yield from (found.split() for found in _CALL.findall(line))


@cache
def flags_of(*command: str) -> frozenset[str]:
    """The flags in the help of one of our commands."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return frozenset(_FLAG.findall(output.getvalue()))


def own_flags() -> set[str]:
    """The flags of all our commands."""
    found = {flag for command in COMMANDS for flag in flags_of(command.name)}
    return found | {flag for part in ("push", "check", "export") for flag in flags_of("dashboards", part)}


def test_every_flag_exists() -> None:
    """In the text: of our commands, of ``dramatiq``, or of a program in the list."""
    dramatiq = {flag for action in make_argument_parser()._actions for flag in action.option_strings}
    known = own_flags() | dramatiq | {*FOREIGN}
    # In `docker run --pid …` the program says whose flag it is.
    named = [(page, text) for page in PAGES for text in inline(page) if text.startswith("--")]
    assert len(named) > 50
    unknown = [(page.name, text) for page, text in named if not {*_FLAG.findall(text)} <= known]
    assert unknown == [], "a flag of another program is listed in FOREIGN"


def test_every_flag_of_a_call_exists() -> None:
    """Of the command that is called, in the text and in blocks."""
    names = {command.name for command in COMMANDS}
    unknown = []
    for page in PAGES:
        for words in calls(page):
            parts = words[: 1 + (words[0] == "dashboards" and words[1:2] != [] and words[1].isalpha())]
            flags = _FLAG.findall(" ".join(words))
            if words[0] in names and not {*flags} <= flags_of(*parts):
                unknown.append((page.name, " ".join(words)))
    assert unknown == []


def test_every_variable_exists() -> None:
    """Of the exporter, or of the reference workers."""
    known = {name for option in OPTIONS for name in option.variables} | {NAMESPACE, SPEED, *URLS}
    found = {name for page in PAGES for name in re.findall(r"\bBIOAGENTS_[A-Z_]+", page.read_text("utf-8"))}
    assert found
    assert found - known == set()


def test_every_setting_exists() -> None:
    """After the word "setting", and wherever the name of a section is followed by a dot."""
    listed = [
        name.removeprefix("--")
        for page in PAGES
        for group in _LISTED.findall(page.read_text("utf-8"))
        for name in _INLINE.findall(group)
    ]
    dotted = [text for page in PAGES for text in inline(page) if _SECTION.fullmatch(text)]
    named = [*listed, *(text for text in dotted if not _FILE.search(text))]
    assert {*named} >= {*KEYS, "metrics.prefix"}
    assert {*named} - SETTINGS == set()


def test_no_setting_has_its_name_in_python() -> None:
    """``wait_seconds`` is ``wait`` in the file; only the page about the status has fields of such names."""
    python = {field.name for kind in (QueueLimits, Settings) for field in fields(kind)}
    labels = {label for metric in METRICS for label in metric.labels}
    wrong = python - labels - BROKER - SETTINGS
    assert wrong >= {"wait_seconds", "max_workers", "job_duration_seconds"}
    pages = (page for page in PAGES if page.name != "http-api.md")
    assert [(page.name, text) for page in pages for text in inline(page) if text in wrong] == []


def test_every_file_of_settings_loads(tmp_path: Path) -> None:
    """Each YAML of a page that is one for ``--config.file``."""
    sections, loaded = {option.key.partition(".")[0] for option in OPTIONS} | {"limits"}, 0
    for page in PAGES:
        for language, text in _BLOCK.findall(page.read_text("utf-8")):
            if language == "yaml" and {*(yaml.safe_load(text) or {})} <= sections:
                (tmp_path / "exporter.yml").write_text(text)
                load({"config.file": str(tmp_path / "exporter.yml")}, {})
                loaded += 1
    assert loaded >= 2
