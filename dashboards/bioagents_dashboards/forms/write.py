"""Turns built boards into the JSON that Grafana imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from bioagents_dashboards.boards.fleet.board import fleet_overview
from bioagents_dashboards.drawing.identity import FLEET, Identity

#: In the order in which a person looks at them.
BOARDS: Final[dict[Identity, Callable[[], Dashboard]]] = {FLEET: fleet_overview}


def boards() -> dict[str, str]:
    """File name → JSON of every board, in classic form with a ``datasource`` variable."""
    return {identity.file_name: to_json(build()) for identity, build in BOARDS.items()}


def to_json(board: Dashboard) -> str:
    """One board; panels get ids by their place, so that links to a panel last."""
    built = json.loads(JSONEncoder().encode(board.build()))
    for number, panel in enumerate(built["panels"], start=1):
        panel["id"] = number
    return json.dumps({"id": None, **built}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[Path]:
    """Write every board to ``folder`` and remove other JSON there; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = boards()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in wanted]
