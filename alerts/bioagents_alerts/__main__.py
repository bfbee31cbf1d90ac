"""``python -m bioagents_alerts``: write alerts/rules/*.yml of this checkout, as ``make generate`` does."""

from __future__ import annotations

from pathlib import Path

from bioagents_alerts.files import write_rules

if __name__ == "__main__":
    folder = Path(__file__).parents[1] / "rules"
    written = write_rules(folder)
    for stale in {*folder.glob("*.yml")} - {*written}:
        stale.unlink()
