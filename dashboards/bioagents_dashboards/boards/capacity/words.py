"""Words that several parts of the board use."""

from __future__ import annotations

from typing import Final

NO_QUEUE: Final = "no queue is known"
NO_SIGNAL: Final = "the exporter has run for less than a minute"
NO_WORKER: Final = "no worker, or the rules are not loaded"
NOTHING_DONE: Final = "no job was done, or the rules are not loaded"
NO_WAIT_NEAR: Final = "no wait nears its limit, or the rules are not loaded"

#: How the time until a wait limit breaks is found, for the descriptions of those panels.
HOW_IT_BREAKS: Final = (
    "From the age of the oldest waiting job, how many wait and how many start per second over 5 minutes: "
    "so fast does the age grow, and so far is the limit. Nothing stands here while the age shrinks or is "
    "below a tenth of its limit. It holds while jobs start at the present pace; a slow job or a burst "
    "changes it."
)
