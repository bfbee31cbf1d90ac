"""The links of the pages that are not part of the site; `make docs-site` checks the others."""

from __future__ import annotations

import re

from support.checkout import ROOT

PAGES = [*ROOT.glob("*.md"), ROOT / "dashboards/preview/README.md"]


def test_every_relative_link_leads_to_a_file() -> None:
    """Pictures too; addresses of other hosts are not requested."""
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert links
    assert [link for link in links if not (link[0].parent / link[1]).exists()] == []


def test_every_path_in_the_text_exists() -> None:
    """A path in backticks that begins with a folder of the checkout, or a pattern of such paths."""
    named = {
        (page.relative_to(ROOT), path)
        for page in (*PAGES, *ROOT.glob("docs/**/*.md"))
        for path in re.findall(r"`([\w.-]+/[\w./*-]*)`", page.read_text(encoding="utf-8"))
        if (ROOT / path.partition("/")[0]).is_dir()
    }
    assert len(named) > len(PAGES)
    assert [(str(page), path) for page, path in sorted(named) if not list(ROOT.glob(path.rstrip("/")))] == []
