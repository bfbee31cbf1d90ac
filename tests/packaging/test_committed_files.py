"""The committed files: no traces of a machine, and limits for the size of files and functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.checkout import PARTS, ROOT, run

#: Each in two parts, or this file would match itself.
TRACES = {
    "a working folder": r"(?<![\w.])/" + r"(work|root|opt/pypi|opt/wheels|tmp/w)/",
    "a home folder": r"/" + r"home/(?!user\b|you\b)\w+/",
    "a package index": r"(index|find)-(url|links)\s*[=:]?\s*(https?|file):" + "//",
    "a conflict": r"^(<{7}|>{7}) ",
}
#: Not text, or not ours.
LEFT_OUT = (".png", ".ico", ".woff2", "LICENSE")


def committed() -> list[str]:
    listed = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    return [name for name in listed if name and not name.endswith(LEFT_OUT) and (ROOT / name).is_file()]


@pytest.mark.parametrize("trace", TRACES)
def test_no_trace_of_a_machine(trace: str) -> None:
    """No committed file names a path or a registry of one machine."""
    pattern = re.compile(TRACES[trace], re.MULTILINE)
    found = {
        name: match[0]
        for name in committed()
        if (match := pattern.search((ROOT / name).read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


def test_no_file_is_too_long() -> None:
    """At most 400 lines of Python."""
    lengths = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in committed()
        if name.endswith(".py")
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_functions_are_short() -> None:
    """In the packages: median at most 8 lines, 90th percentile at most 25, the longest at most 60."""
    lengths = sorted(length for part in PARTS for length in function_lengths(ROOT / part))
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[len(lengths) * 9 // 10] <= 25
    assert lengths[-1] <= 60


def function_lengths(folder: Path) -> Iterator[int]:
    """Lines of each function, its decorators and docstring left out."""
    for path in folder.glob("bioagents_*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
                yield (body[-1].end_lineno or 0) - body[0].lineno + 2


def test_part_folders_hold_no_module() -> None:
    """From the repository root ``import worker`` must find an application's module, never ours."""
    names = [name for name in committed() if name.endswith(".py")]
    assert [name for name in names if name.count("/") == 1 and name.startswith(PARTS)] == []
