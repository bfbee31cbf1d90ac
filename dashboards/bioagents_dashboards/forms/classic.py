"""The master: classic JSON with a ``datasource`` variable, as provisioning and push take it."""

from __future__ import annotations

import json
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

#: A board, or a part of it, as plain JSON.
Json = dict[str, Any]

#: The variable by which every panel finds its data source.
DATASOURCE: Final = "datasource"


def classic(board: Dashboard) -> Json:
    """One board; panels get ids by their place, so that links to a panel last."""
    built = json.loads(JSONEncoder().encode(board.build()))
    for number, panel in enumerate(built["panels"], start=1):
        panel["id"] = number
    return {"id": None, **built}


def to_text(board: Json) -> str:
    """JSON that a person can read and a review can compare."""
    return json.dumps(board, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
