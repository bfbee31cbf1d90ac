"""The uids of the Grafana boards, by which links, alerts and Grafana itself find them.

A changed uid breaks every link to a board and creates a second one.
"""

from __future__ import annotations

from typing import Final

FLEET: Final = "bioagents-fleet"
QUEUE: Final = "bioagents-queue"
ACTOR: Final = "bioagents-actor"
WORKERS: Final = "bioagents-workers"
CAPACITY: Final = "bioagents-capacity"
SLO: Final = "bioagents-slo"
#: An old name, kept because links depend on it.
REDIS_EXPORTER: Final = "bioagents-ground"
