"""A hook of MkDocs: the navigation lists every runbook, so a new alert needs no change of mkdocs.yml."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the section Runbooks with the pages of docs/runbooks, in alphabetical order."""
    pages = sorted((Path(config.docs_dir) / "runbooks").glob("*.md"))
    (section,) = (entry for entry in config.nav or [] if "Runbooks" in entry)
    section["Runbooks"] = [f"runbooks/{page.name}" for page in pages]
    return config
