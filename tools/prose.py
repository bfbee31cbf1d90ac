"""The prose linter of ``make check``: proselint and our own vocabulary over everything that a person reads.

It prints ``file:line: finding`` for each finding, and exits with 1 if there is one. Comments, docstrings and
messages in code are checked with the vocabulary alone.
"""

from __future__ import annotations

import ast
import io
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
#: Between the words of a phrase.
WHITESPACE: Final = r"\s+"
#: What a person reads of a board.
BOARD_TEXT: Final = re.compile(r'"(?:title|description|label|noValue)": ("(?:[^"\\]|\\.)*")')


#: The parts of the code. Words in a string of one word are names, not prose.
CODE: Final = ("alerts", "benchmarks", "cli", "dashboards", "demo", "exporter", "tests", "tools", "worker")
#: The linter's own tests consist of what it finds.
NOT_READ: Final = ROOT / "tests/tools/test_prose.py"
#: Between two literals that are one string, with the line breaks between them.
SEAM: Final = re.compile(r"""["']+(\s+(?:\#[^\n]*\s+)*)[rRfFuU]{0,2}["']+""")
#: An escape, or an expression in an f-string.
NO_LITERAL: Final = re.compile(r"\\[nt]|\{(?:[^{}]|\{[^{}]*\})*\}")

#: Read as a whole, because few of their words are also names: JavaScript, Lua, templates of messages.
SCRIPTS: Final = (
    "dashboards/preview/*.js", "dashboards/preview/ask/*.js", "dashboards/preview/draw/**/*.js",
    "dashboards/preview/draw/**/*.jsx", "worker/**/*.lua", "alerts/templates/*.tmpl",
)  # fmt: skip
#: What begins a line of a comment, encloses the comment of a template, or looks like code or HTML of a page.
MARKS: Final = re.compile(r"^[ \t]*(?://|--|\*(?!/))|\{\{-? */\*|\*/ *-?\}\}|[`<>]", re.MULTILINE)

#: Files with comments after ``#``.
COMMENTED: Final = (
    "*.yml", "pyproject.toml", "Makefile", ".ci/*",
    "alerts/*.yml", "alerts/rules/*.yml", "alerts/tests/*.yml", "deploy/**/*",
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
        if path != NOT_READ and ".venv" not in path.parts:  # the benchmarks make one for other tools
            yield from code_texts(path, path.read_text(encoding="utf-8"))
    for path in (file for pattern in SCRIPTS for file in ROOT.glob(pattern)):
        yield Text(path, 1, MARKS.sub(" ", path.read_text(encoding="utf-8")))
    for path in (file for pattern in COMMENTED for file in ROOT.glob(pattern) if file.is_file()):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield Text(path, 1, "\n".join(line.partition("#")[2] for line in lines))


def code_texts(path: Path, source: str) -> Iterator[Text]:
    """The comments of a module as one text, and each of its strings, whichever Python reads it."""
    comments = [""] * (source.count("\n") + 1)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0] - 1] = token.string.lstrip("#:")
    yield Text(path, 1, "\n".join(comments))
    for node in strings(ast.parse(source)):
        literal = ast.get_source_segment(source, node) or ""
        joined = SEAM.sub(lambda found: "\n" * found[1].count("\n"), literal)
        pattern = NO_LITERAL if isinstance(node, ast.JoinedStr) else re.compile(r"\\[nt]")
        if " " in joined:
            yield Text(path, node.lineno, pattern.sub(blank, joined))


def strings(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The strings of a module; adjacent literals are one, and an f-string is one with all its parts."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def blank(found: re.Match[str]) -> str:
    """A gap in a text that keeps the numbers of its lines."""
    return "¤" + "\n" * found[0].count("\n")


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
    prose = NO_PROSE.sub(blank, text.text)
    for pattern, instead in WORDS.items():
        for found in re.finditer(rf"\b(?:{pattern.replace(' ', WHITESPACE)})\b", prose, re.IGNORECASE):
            words = " ".join(found[0].split())
            yield text.line + prose.count("\n", 0, found.start()), f"{words!r}: write {instead}"
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
