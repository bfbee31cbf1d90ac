"""The names of the variables that choose series: links carry them, queries follow them."""

from __future__ import annotations

from typing import Final

from bioagents_dashboards.queries.promql import OWN, TARGET

#: In the order in which they stand on a board.
CHOICES: Final = (*TARGET, *OWN, "job", "instance")
