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
KINDS = (
    "README.md", "docs/get-started/*.md", "docs/runbooks/*.md", "alerts/rules/*.yml", "alerts/*.yml",
    "dashboards/json/*.json", "tests/cli/golden/*.txt", "worker/bioagents_worker/*.py", "exporter/**/*.py",
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
