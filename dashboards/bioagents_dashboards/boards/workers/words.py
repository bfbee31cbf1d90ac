"""Words that several parts of the board use."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.drawing.legends import FLEET
from bioagents_dashboards.drawing.panels import LIMIT

#: A number of the rules, where an alert begins.
FLEET_LIMIT: Final = FLEET + " alert" + LIMIT

NO_HALF_HOUR: Final = "no worker has taken jobs for half an hour, or the rules are not loaded"
#: The rules join names to the numbers of workers.
NO_RULES: Final = "no worker, or the rules are not loaded"
