"""Which boards there are: the names by which links, alerts and people find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Identity:
    """A board's name. A changed ``uid`` breaks every link to it."""

    uid: str
    title: str
    question: str

    @property
    def name(self) -> str:
        """The title as a file's name, without an ending."""
        return self.title.lower().replace(" ", "-")

    @property
    def file_name(self) -> str:
        """The file in the folder of boards."""
        return f"{self.name}.json"


FLEET: Final = Identity(
    "bioagents-fleet",
    "Fleet overview",
    "Is anything wrong in a fleet of Dramatiq workers, where, and since when?",
)
QUEUE: Final = Identity("bioagents-queue", "Queue", "Why is this queue slow?")
ACTOR: Final = Identity("bioagents-actor", "Actor", "What fails, how, and since when?")
WORKERS: Final = Identity(
    "bioagents-workers",
    "Workers",
    "Does memory hold, is load even, who restarts and who is missing?",
)
CAPACITY: Final = Identity(
    "bioagents-capacity",
    "Capacity",
    "How many workers do I need, and how long until jobs wait too long?",
)
GROUND: Final = Identity(
    "bioagents-ground",
    "Redis and exporter",
    "Is the ground under us sound, and can I believe these numbers?",
)
SLO: Final = Identity(
    "bioagents-slo", "SLO", "How much of the error budget is left, and how fast does it burn?"
)
