"""``python -m bioagents_boards`` rebuilds ``dashboards/json``, for developers of this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from bioagents_boards.actor import ACTOR_BOARD
from bioagents_boards.capacity import CAPACITY_BOARD
from bioagents_boards.fleet import FLEET_BOARD
from bioagents_boards.queue import QUEUE_BOARD
from bioagents_boards.redis_exporter import REDIS_EXPORTER_BOARD
from bioagents_boards.slo import SLO_BOARD
from bioagents_boards.workers import WORKERS_BOARD

#: In the order in which a person looks at them.
BOARDS: Final = (
    FLEET_BOARD,
    QUEUE_BOARD,
    ACTOR_BOARD,
    WORKERS_BOARD,
    CAPACITY_BOARD,
    SLO_BOARD,
    REDIS_EXPORTER_BOARD,
)

FOLDER: Final = Path(__file__).parents[1] / "json"


def files() -> dict[str, str]:
    """File name → the JSON of each board, in a form that a review can compare."""
    return {
        board.file_name: json.dumps(board.to_json(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for board in BOARDS
    }


def write(folder: Path) -> list[Path]:
    """Write every board into ``folder`` and remove what else is in it; the paths written."""
    wanted = {folder / name: text for name, text in files().items()}
    for path in set(folder.iterdir()) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return list(wanted)


if __name__ == "__main__":
    for written in write(FOLDER):
        print(written)  # noqa: T201 - a developer's command shows what it did
