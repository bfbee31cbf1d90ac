"""Words that several parts of the board use."""

from __future__ import annotations

from typing import Final

NO_QUEUE: Final = "no queue is known"
#: Where a number comes from the middleware's counts, by way of the rules.
NO_RULES: Final = "no job has been reported yet, or the rules are not loaded"
