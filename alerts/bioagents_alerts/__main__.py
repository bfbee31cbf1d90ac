"""``python -m bioagents_alerts``: write the rules and the message templates, as ``make generate`` does."""

from __future__ import annotations

from pathlib import Path

from bioagents_alerts.files import write_rules
from bioagents_alerts.messages import templates

if __name__ == "__main__":
    folder = Path(__file__).parents[1] / "rules"
    written = write_rules(folder)
    for stale in {*folder.glob("*.yml")} - {*written}:
        stale.unlink()
    (folder.parent / "templates/bioagents.tmpl").write_text(templates(), encoding="utf-8")
