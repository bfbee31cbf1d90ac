"""What happens in the demo, by the seconds since it began: always the same story, over and over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the story."""

    start: float  # seconds since the story began
    note: str  # one line for people
    chat_rate: float = 6.0  # jobs per second
    research_rate: float = 0.25  # jobs per second
    burst: int = 0  # chat jobs at once when the chapter starts
    overloaded: float = 0.0  # share of chat jobs that fail twice and then succeed
    hopeless: float = 0.0  # share of chat jobs that are dead-lettered at once
    unlucky: float = 0.0  # share of research jobs that fail at every attempt
    workers: bool = True  # whether they run


STORY: Final = (
    Chapter(0, "ordinary load: 6 chat jobs a second, a research job every 4 seconds"),
    Chapter(8, "burst: 300 chat jobs at once", burst=300),
    Chapter(
        18, "fault: the model is overloaded; every second chat job fails, some for good",
        overloaded=0.45, hopeless=0.05, unlucky=0.3,
    ),
    Chapter(33, "the model is well again"),
    Chapter(45, "fault: all workers are told to stop (SIGTERM)", workers=False),
    Chapter(57, "the workers are started again"),
)  # fmt: skip

#: Seconds after which the story begins again.
LENGTH: Final = 100.0


def chapter_at(elapsed: float) -> Chapter:
    """The chapter that runs ``elapsed`` seconds after the demo began."""
    now = elapsed % LENGTH
    return [chapter for chapter in STORY if chapter.start <= now][-1]


def chapter_number(elapsed: float) -> int:
    """Counts chapters through all rounds of the story; it rises by one where a chapter begins."""
    rounds = int(elapsed // LENGTH)
    return rounds * len(STORY) + STORY.index(chapter_at(elapsed))
