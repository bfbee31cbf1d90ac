"""The page about reading Redis is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bioagents_exporter.read.errors import CAUSES
from read.test_acl import RIGHTS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference/redis.md"


PAGES = ("get-started/application.md", "how-to/run-exporter.md", "reference/redis.md")


@pytest.mark.parametrize("page", PAGES)
def test_each_page_names_the_oldest_redis(page: str) -> None:
    """The audit asks for HRANDFIELD, which came with 6.2."""
    assert re.findall(r"Redis (\d[\d.]*) and newer or Valkey", (DOCS / page).read_text()) == ["6.2"]


def test_every_cause_is_explained_once() -> None:
    """The table of causes is the closed set of causes."""
    section = PAGE.read_text().partition("## Causes of read errors")[2]
    assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(CAUSES)


def test_the_rights_are_those_that_are_tested() -> None:
    """Under which the ACL tests read and audit."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith("ACL SETUSER")]
    for right in RIGHTS:
        assert right in line.split()
