"""A hook of MkDocs for the runbooks: navigation and links.

The navigation lists every runbook, so a new alert needs no change of mkdocs.yml. The names of other alerts in
a runbook become links; the files have none, because the exporter serves them as plain text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page


def _names(config: MkDocsConfig) -> list[str]:
    return sorted(page.stem for page in (Path(config.docs_dir) / "runbooks").glob("*.md"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the section Runbooks with the pages of docs/runbooks, in alphabetical order."""
    (section,) = (entry for entry in config.nav or [] if "Runbooks" in entry)
    section["Runbooks"] = [f"runbooks/{name}.md" for name in _names(config)]
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:  # noqa: ANN401 - of MkDocs
    """Link the names of other alerts in a runbook, but not in code and not in the heading."""
    if not page.file.src_uri.startswith("runbooks/"):
        return markdown
    others = "|".join(name for name in _names(config) if name != Path(page.file.src_uri).stem)
    pattern = re.compile(rf"```.*?```|`[^`]*`|\b({others})\b", re.DOTALL)
    return pattern.sub(lambda found: f"[{found[1]}]({found[1]}.md)" if found[1] else found[0], markdown)
