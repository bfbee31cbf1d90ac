"""Which Grafana takes which boards."""

from __future__ import annotations

import re
from typing import Final

from bioagents_dashboards.push.boards import Board
from bioagents_dashboards.push.errors import GrafanaError

#: Schema version of a dashboard → the first Grafana that knows it. 42 is the last of the classic schema; it
#: came with github.com/grafana/grafana/pull/106857: boards out of 12.1 carry 41, out of 12.2 they carry 42.
#: An older Grafana stores what it does not know without a word, and draws it as it can.
FIRST_GRAFANA: Final = {42: (12, 2)}


def require(grafana: str, url: str, boards: list[Board]) -> None:
    """GrafanaError where a board is too new for this version of Grafana; an unknown version passes."""
    found = re.match(r"(\d+)\.(\d+)", grafana)
    if found is None:
        return
    have = int(found[1]), int(found[2])
    new = [board for board in boards if have < FIRST_GRAFANA.get(int(board["schemaVersion"]), (0, 0))]
    if new:
        schema = max(int(board["schemaVersion"]) for board in new)
        first = ".".join(map(str, FIRST_GRAFANA[schema]))
        more = f" and {len(new) - 1} more" if len(new) > 1 else ""
        raise GrafanaError(
            f"Grafana {grafana} at {url} is too old for {new[0]['title']!r}{more}: "
            f"expected Grafana {first} or newer, which knows schema version {schema} of dashboards"
        )
