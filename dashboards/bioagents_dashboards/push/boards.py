"""The boards of this version, and what tells one from another."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from bioagents_cli.parsing import UsageError
from bioagents_dashboards.locate import boards_folder

#: A dashboard in Grafana's classic JSON, ours or whatever a Grafana has.
Board = dict[str, Any]

#: Begins the message of each version that we save; the digest of the board follows.
SAVED_BY: Final = "bioagents dashboards push "


def shipped_boards() -> list[Board]:
    """The boards of this version, by file name."""
    files = sorted(boards_folder().glob("*.json"))
    if not files:
        raise UsageError(f"no board in {boards_folder()}: the installation is incomplete")
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def message(board: Board) -> str:
    """With which we save a shipped board; tells two of them apart by all that they contain."""
    text = json.dumps(board, sort_keys=True, separators=(",", ":"))
    return SAVED_BY + hashlib.sha256(text.encode()).hexdigest()[:16]


def common_tags(boards: list[Board]) -> list[str]:
    """The tags by which all of them are found."""
    return sorted(set.intersection(*(set(board["tags"]) for board in boards)))
