"""Legends and words that several parts of the board use."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.drawing.panels import LIMIT

BY_HOST: Final = "{{fleet}} {{host}}"
BY_WORKER: Final = "{{fleet}} {{host}}:{{pid}}"

#: A number of the rules, where an alert begins.
FLEET_LIMIT: Final = "{{fleet}} alert" + LIMIT

NO_EXPORTER: Final = "no exporter"
NO_WORKER: Final = "no worker has reported"
NO_HALF_HOUR: Final = "no worker has taken jobs for half an hour"
#: Where a number comes from the rules, which look back for a while.
NO_RULES: Final = "no worker, or the rules are not loaded"
