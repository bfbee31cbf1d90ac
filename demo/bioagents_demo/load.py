"""Which jobs the producer sends: pure, from a random source of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from bioagents_demo.reference.actors import (
    LONGEST_JOB,
    ContextTooLong,
    ModelOverloaded,
    SourceUnavailable,
    Work,
)
from bioagents_demo.story import Chapter

_FOLLOW_UPS: Final = 0.05  # share of chat jobs that are delayed follow-ups
_REPORTS: Final = 0.5  # share of research jobs with a report behind them
_ALWAYS: Final = 99  # more attempts than any actor makes
_SHORTEST_RESEARCH: Final = 300.0


@dataclass(frozen=True, slots=True)
class Order:
    """One job to send."""

    actor: Literal["answer", "follow_up", "research"]
    work: Work
    delay: float = 0.0  # simulated seconds
    report: Work | None = None  # of a ``write_report`` that follows


def orders(random: Random, chapter: Chapter, seconds: float, *, begins: bool) -> Iterator[Order]:
    """The jobs of the next ``seconds``; ``begins``: the chapter begins with them."""
    chats = poisson(random, chapter.chat_rate * seconds) + (chapter.burst if begins else 0)
    for _ in range(chats):
        yield _chat(random, chapter)
    for _ in range(poisson(random, chapter.research_rate * seconds)):
        yield _research(random, chapter)


def poisson(random: Random, mean: float) -> int:
    """How many events happen where ``mean`` are expected (Knuth's product of uniforms; for small means)."""
    count, product, limit = 0, random.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= random.random()
    return count


def _chat(random: Random, chapter: Chapter) -> Order:
    seconds = min(random.lognormvariate(math.log(5), 0.6), 60.0)
    failure, attempts = "", 0
    luck = random.random()
    if luck < chapter.hopeless:
        failure, attempts = ContextTooLong.__name__, _ALWAYS
    elif luck < chapter.hopeless + chapter.overloaded:
        failure, attempts = ModelOverloaded.__name__, 2
    work = Work(round(seconds, 3), random.randint(2, 10), failure, attempts)
    if random.random() < _FOLLOW_UPS:
        return Order("follow_up", work, delay=random.uniform(100, 400))
    return Order("answer", work)


def _research(random: Random, chapter: Chapter) -> Order:
    seconds = random.lognormvariate(math.log(2400), 1.2)
    seconds = max(_SHORTEST_RESEARCH, min(seconds, LONGEST_JOB))
    unlucky = random.random() < chapter.unlucky
    failure, attempts = (SourceUnavailable.__name__, _ALWAYS) if unlucky else ("", 0)
    work = Work(round(seconds, 3), random.randint(20, 80), failure, attempts)
    report = Work(600.0, random.randint(10, 40)) if random.random() < _REPORTS else None
    return Order("research", work, report=report)
