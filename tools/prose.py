"""The prose linter of ``make check``: proselint and our own vocabulary over everything that a person reads.

It prints ``file:line: finding`` for each finding, and exits with 1 if there is one. Comments, docstrings and
messages in code are checked with the vocabulary alone.
"""

from __future__ import annotations

import json
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml
from proselint.checks import __register__ as every_check
from proselint.config import load_from
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

ROOT: Final = Path(__file__).parents[1]
PROSELINT: Final = load_from(ROOT / "tools" / "proselint.json")
WORDS: Final = tomllib.loads((ROOT / "tools" / "vocabulary.toml").read_text(encoding="utf-8"))["words"]
#: Code, addresses, templates and HTML are no prose. Neither is a blank line: no sentence crosses it.
NO_PROSE: Final = re.compile(
    r"^(```|~~~).*?^\1$|`[^`]+`|\]\([^)]*\)|<[^>]+>|https?://\S+|\{\{.*?\}\}|\$\{?\w+\}?|^$",
    re.MULTILINE | re.DOTALL,
)
#: What a person reads of a board.
BOARD_TEXT: Final = re.compile(r'"(?:title|description|label|noValue)": ("(?:[^"\\]|\\.)*")')


#: The parts of the code. Words in a string of one word are names, not prose.
CODE: Final = ("alerts", "benchmarks", "cli", "dashboards", "demo", "exporter", "tools", "worker")

#: Files with comments after ``#``.
COMMENTED: Final = (
    "*.yml", "pyproject.toml", "Makefile", ".ci/*", "alerts/*.yml", "alerts/rules/*.yml", "deploy/**/*",
)  # fmt: skip


class Text(NamedTuple):
    """A piece of prose and where it begins."""

    path: Path
    line: int
    text: str
    is_page: bool = False  # whole sentences: proselint reads it too


def texts() -> Iterator[Text]:
    """Everything that is checked."""
    for path in (*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("dashboards/preview/*.md")):
        yield Text(path, 1, path.read_text(encoding="utf-8"), is_page=True)
    for path in ROOT.glob("tests/cli/golden/*.txt"):
        yield Text(path, 1, path.read_text(encoding="utf-8"))
    for path in ROOT.glob("alerts/rules/*.yml"):
        yield from alert_texts(path, yaml.compose(path.read_text(encoding="utf-8")))
    for path in ROOT.glob("dashboards/json/*.json"):
        whole = path.read_text(encoding="utf-8")
        for found in BOARD_TEXT.finditer(whole):
            yield Text(path, whole.count("\n", 0, found.start()) + 1, json.loads(found[1]), is_page=True)
    for path in (file for part in CODE for file in ROOT.glob(f"{part}/**/*.py")):
        yield from code_texts(path)
    for path in (file for pattern in COMMENTED for file in ROOT.glob(pattern) if file.is_file()):
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield Text(path, line, text.partition("#")[2])


def code_texts(path: Path) -> Iterator[Text]:
    """Comments and strings of a module."""
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
                yield Text(path, token.start[0], token.string)


def alert_texts(path: Path, node: yaml.Node | None) -> Iterator[Text]:
    """The summaries and descriptions of the alerts in a file of rules."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from alert_texts(path, item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in {"summary", "description"}:
                yield Text(path, value.start_mark.line + 1, value.value, is_page=True)
            yield from alert_texts(path, value)


def findings(text: Text) -> Iterator[tuple[int, str]]:
    """Line and complaint of each finding in a text."""
    prose = NO_PROSE.sub(lambda found: "¤" + "\n" * found[0].count("\n"), text.text)
    for pattern, instead in WORDS.items():
        for found in re.finditer(rf"\b(?:{pattern})\b", prose, re.IGNORECASE):
            yield text.line + prose.count("\n", 0, found.start()), f"{found[0]!r}: write {instead}"
    if text.is_page:
        for result in LintFile(str(text.path), prose).lint(PROSELINT):
            yield text.line + result.pos[0] - 1, result.check_result.message


def main() -> int:
    """Print every finding, sorted; 1 if there is one."""
    CheckRegistry().register_many(every_check)
    found = {(str(text.path.relative_to(ROOT)), *one) for text in texts() for one in findings(text)}
    for path, line, complaint in sorted(found):
        sys.stdout.write(f"{path}:{line}: {complaint}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
