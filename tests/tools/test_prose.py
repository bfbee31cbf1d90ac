"""The prose linter of ``make check`` finds what it should, at its line, and nothing in code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import prose
from support.checkout import ROOT

PAGE = """\
# A page

Mend it. The command `mend` is code, and so is {{ $labels.mend }}.

```sh
mend --anew
```

This is is a repetition. See [the page](mend.md), then start
anew.
"""
#: Line 1 and 2: a comment; 4: a docstring; 6: an f-string; 8 and 9: one string; 10: names and code.
MODULE = """\
# A job is put
# off.
def name(x: str) -> str:
    \'\'\'Mend it.\'\'\'
    return (
        f"{x.replace('beside', 'mend it')} is put off by {x}\\nanew"
        + (
        "it is put "
        f"off " "for " "ever"
    ) + x["mend"] + f"{mend(x)} is x")
"""
KINDS = (
    "README.md", "docs/get-started/*.md", "docs/runbooks/*.md", "alerts/rules/*.yml", "alerts/*.yml",
    "dashboards/json/*.json", "tests/cli/golden/*.txt", "worker/bioagents_worker/*.py", "exporter/**/*.py",
    "tests/**/*.py", "alerts/tests/*.yml", "alerts/templates/*.tmpl", "worker/**/*.lua",
    "dashboards/preview/*.js", "dashboards/preview/draw/**/*.jsx",
)  # fmt: skip


def found(text: str, *, is_page: bool = True) -> list[tuple[int, str]]:
    return sorted(prose.findings(prose.Text(Path("page.md"), 1, text, is_page=is_page)))


@pytest.fixture(scope="module", autouse=True)
def _checks_of_proselint() -> None:
    prose.CheckRegistry().register_many(prose.every_check)


@pytest.fixture(scope="module")
def texts() -> list[prose.Text]:
    return list(prose.texts())


def test_words_are_found_at_their_lines() -> None:
    """In prose, also across lines and with a capital; not in code, templates and addresses."""
    lines = [(line, complaint.partition(":")[0]) for line, complaint in found(PAGE)]
    assert lines == [
        (3, "'Mend'"),
        (9, "There's a lexical illusion in 'is is' - a phrase is repeated."),
        (10, "'anew'"),
    ]


def test_a_phrase_is_found_across_lines() -> None:
    """Wherever the line of a page is broken."""
    assert [line for line, _ in found("The call is put\noff. It fails.")] == [1]


def test_comments_and_strings_of_a_module_are_read() -> None:
    """F-strings on each Python, and phrases over several comments or adjacent literals; no code."""
    texts = prose.code_texts(Path("module.py"), MODULE)
    lines = [(line, words.partition(":")[0]) for text in texts for line, words in prose.findings(text)]
    assert sorted(lines) == [
        (1, "'put off'"), (4, "'Mend'"), (6, "'anew'"), (6, "'put off'"), (8, "'put off'"), (9, "'for ever'"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "// put\n  // off",
        "/*\n * put\n * off\n */",
        "log(`${name} is put off`)",
        "-- put off",
        "{{/* put off */}}",
    ],
)
def test_comments_and_texts_of_scripts_are_read(text: str) -> None:
    """JavaScript, Lua and templates; also a phrase on two lines of a comment."""
    assert [words for _, words in found(prose.MARKS.sub(" ", text), is_page=False)] == [
        "'put off': write postponed, retried later"
    ]


def test_only_pages_are_read_by_proselint() -> None:
    """A comment is a fragment: the vocabulary alone applies."""
    assert found("# the the", is_page=False) == []
    assert [line for line, _ in found("# mended", is_page=False)] == [1]


def test_every_kind_of_text_is_read(texts: list[prose.Text]) -> None:
    """A glob that matches nothing would check nothing."""
    read = {text.path for text in texts if text.text.strip()}
    assert [kind for kind in KINDS if not read.intersection(ROOT.glob(kind))] == []


def test_texts_of_alerts_and_boards_have_their_line(texts: list[prose.Text]) -> None:
    """So that an editor finds them: the line of the file contains the beginning of the text."""
    for text in texts:
        if text.path.suffix in {".yml", ".json"} and text.is_page and text.text:
            line = text.path.read_text(encoding="utf-8").splitlines()[text.line - 1]
            assert text.text.split()[0].strip("\"'") in line or line.rstrip().endswith(("|", ">", "|-", ">-"))


def test_a_finding_is_one_line_and_status_1(tmp_path: Path) -> None:
    """As the command is run, in a checkout with one bad page; and status 0 without it."""
    for name in ("prose.py", "proselint.json", "vocabulary.toml"):
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / name).write_bytes((ROOT / "tools" / name).read_bytes())
    command = [sys.executable, str(tmp_path / "tools" / "prose.py")]
    assert subprocess.run(command, check=False).returncode == 0
    (tmp_path / "README.md").write_text("Fix it.\nMend it.\n", encoding="utf-8")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "README.md:2: 'Mend': write fix, repair\n")
