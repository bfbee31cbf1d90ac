"""The pages that alerts link to, as text, as blocks and as statements of the shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from support.checkout import ROOT

PAGES: Final = sorted((ROOT / "docs/runbooks").glob("*.md"))
_BLOCK: Final = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_ASSIGNMENT: Final = re.compile(r"[A-Z]+=\S+")


def blocks(page: Path, *kinds: str) -> list[tuple[str, str]]:
    """Kind and text of each fenced block, or of those of these kinds."""
    return blocks_of(page.read_text(encoding="utf-8"), *kinds)


def blocks_of(text: str, *kinds: str) -> list[tuple[str, str]]:
    """The same of a page's text."""
    found: list[tuple[str, str]] = _BLOCK.findall(text)
    return [block for block in found if not kinds or block[0] in kinds]


def prose(page: Path) -> str:
    """The text outside the blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def statements(text: str) -> Iterator[str]:
    """The commands of a block one by one, each with the variables that are set before it."""
    gathered: list[str] = []
    for line in text.splitlines():
        gathered.append(line)
        statement = "\n".join(gathered)
        if not _ASSIGNMENT.fullmatch(line) and not refusal(statement):
            yield statement
            gathered = []
    assert not gathered, f"no whole command: {gathered}"


def refusal(command: str) -> str:
    """What the shell says against it; nothing if it is a whole command."""
    done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
    return done.stderr
