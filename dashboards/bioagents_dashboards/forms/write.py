"""Every board in every form, and the one place that writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from bioagents_dashboards.boards.actor.board import actor_board
from bioagents_dashboards.boards.capacity.board import capacity_board
from bioagents_dashboards.boards.fleet.board import fleet_overview
from bioagents_dashboards.boards.ground.board import redis_and_exporter
from bioagents_dashboards.boards.queue.board import queue_board
from bioagents_dashboards.boards.slo.board import slo
from bioagents_dashboards.boards.workers.board import workers_board
from bioagents_dashboards.drawing.identity import (
    ACTOR,
    CAPACITY,
    FLEET,
    GROUND,
    QUEUE,
    SLO,
    WORKERS,
    Identity,
)
from bioagents_dashboards.forms.classic import classic, to_text
from bioagents_dashboards.forms.kubernetes import config_map
from bioagents_dashboards.forms.resource import resource
from bioagents_dashboards.forms.upload import uploadable

#: In the order in which a person looks at them.
BOARDS: Final[dict[Identity, Callable[[], Dashboard]]] = {
    FLEET: fleet_overview,
    QUEUE: queue_board,
    ACTOR: actor_board,
    WORKERS: workers_board,
    CAPACITY: capacity_board,
    SLO: slo,
    GROUND: redis_and_exporter,
}


def files() -> dict[str, str]:
    """Path below the folder of the dashboards → text, for every board in every form."""
    built: dict[str, str] = {}
    for identity, build in BOARDS.items():
        board = classic(build())
        text = to_text(board)
        built[f"json/{identity.file_name}"] = text
        built[f"import/{identity.file_name}"] = to_text(uploadable(board))
        built[f"kubernetes/{identity.name}.yaml"] = config_map(identity, text)
        built[f"git-sync/{identity.file_name}"] = to_text(resource(board))
    return built


def write(root: Path) -> list[Path]:
    """Write every form below ``root`` and remove what else is in their folders; the paths written."""
    wanted = {root / name: text for name, text in files().items()}
    for folder in {path.parent for path in wanted}:
        folder.mkdir(parents=True, exist_ok=True)
        for path in set(folder.iterdir()) - wanted.keys():
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return list(wanted)
