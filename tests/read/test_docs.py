"""The page about reading says what is true."""

from __future__ import annotations

from pathlib import Path

from bioagents_exporter.read.causes import CAUSES
from read.test_acl import RIGHTS

PAGE = Path(__file__).parents[2] / "docs" / "reading-redis.md"


def test_every_cause_is_explained_once() -> None:
    """The table of causes is the closed set of causes."""
    cells = [line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert [cell for cell in cells if "-" not in cell and "://" not in cell] == list(CAUSES)


def test_the_rights_are_those_that_are_tested() -> None:
    """Under which the ACL tests read and audit."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith("ACL SETUSER")]
    for right in RIGHTS:
        assert right in line.split()
