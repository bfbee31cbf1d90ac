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
