"""What the demo does over time: phases that repeat, and the jobs that the producer sends in each."""

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

#: Simulated seconds per real second, by queue: a chat answer of 6 s takes 0.3 s, eight hours take 48 s.
CHAT_SPEED: Final = 20.0
RESEARCH_SPEED: Final = 600.0
#: All durations of the alert rules are divided by this: ten minutes are 10 s.
ALERT_FACTOR: Final = 60.0
#: The Dramatiq namespace and the fleet label of the demo.
NAMESPACE: Final = "demo"

_FOLLOW_UPS: Final = 0.05  # share of chat jobs that are delayed follow-ups
_REPORTS: Final = 0.5  # share of research jobs that are followed by a report
_ALWAYS: Final = 99  # more attempts than any actor makes
_SHORTEST_RESEARCH: Final = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the scenario; it ends where the next one starts."""

    start: float  # seconds since the scenario started
    note: str  # one line for people
    chat_rate: float = 6.0  # jobs per second
    research_rate: float = 0.25  # jobs per second
    burst: int = 0  # chat jobs at once when the phase starts
    overloaded: float = 0.0  # share of chat jobs that fail twice and then succeed
    hopeless: float = 0.0  # share of chat jobs that are dead-lettered at once
    unlucky: float = 0.0  # share of research jobs that fail at every attempt
    workers: bool = True  # whether they run


PHASES: Final = (
    Phase(0, "ordinary load: 6 chat jobs a second, a research job every 4 seconds"),
    Phase(8, "burst: 300 chat jobs at once", burst=300),
    Phase(
        18, "fault: the model is overloaded; every second chat job fails, some permanently",
        overloaded=0.45, hopeless=0.05, unlucky=0.3,
    ),
    Phase(33, "the model is available again"),
    Phase(45, "fault: all workers are stopped (SIGTERM)", workers=False),
    Phase(57, "the workers are started again"),
)  # fmt: skip

#: Seconds after which the scenario starts again.
LENGTH: Final = 100.0


def phase_at(elapsed: float) -> Phase:
    """The phase at ``elapsed`` seconds after the demo started."""
    now = elapsed % LENGTH
    return [phase for phase in PHASES if phase.start <= now][-1]


def phase_number(elapsed: float) -> int:
    """The number of phases that started before this one, in all rounds of the scenario."""
    rounds = int(elapsed // LENGTH)
    return rounds * len(PHASES) + PHASES.index(phase_at(elapsed))


@dataclass(frozen=True, slots=True)
class Order:
    """One job to send."""

    actor: Literal["answer", "follow_up", "research"]
    work: Work
    delay: float = 0.0  # simulated seconds
    report: Work | None = None  # of a ``write_report`` that follows


def orders(random: Random, phase: Phase, seconds: float, *, starts: bool) -> Iterator[Order]:
    """The jobs of the next ``seconds``; ``starts``: the phase starts with them."""
    chats = poisson(random, phase.chat_rate * seconds) + (phase.burst if starts else 0)
    for _ in range(chats):
        yield _chat(random, phase)
    for _ in range(poisson(random, phase.research_rate * seconds)):
        yield _research(random, phase)


def poisson(random: Random, mean: float) -> int:
    """A Poisson-distributed number of events (Knuth's product of uniforms; for small means)."""
    count, product, limit = 0, random.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= random.random()
    return count


def _chat(random: Random, phase: Phase) -> Order:
    seconds = min(random.lognormvariate(math.log(5), 0.6), 60.0)
    failure, attempts = "", 0
    luck = random.random()
    if luck < phase.hopeless:
        failure, attempts = ContextTooLong.__name__, _ALWAYS
    elif luck < phase.hopeless + phase.overloaded:
        failure, attempts = ModelOverloaded.__name__, 2
    work = Work(round(seconds, 3), random.randint(2, 10), failure, attempts)
    if random.random() < _FOLLOW_UPS:
        return Order("follow_up", work, delay=random.uniform(100, 400))
    return Order("answer", work)


def _research(random: Random, phase: Phase) -> Order:
    seconds = random.lognormvariate(math.log(2400), 1.2)
    seconds = max(_SHORTEST_RESEARCH, min(seconds, LONGEST_JOB))
    unlucky = random.random() < phase.unlucky
    failure, attempts = (SourceUnavailable.__name__, _ALWAYS) if unlucky else ("", 0)
    work = Work(round(seconds, 3), random.randint(20, 80), failure, attempts)
    report = Work(600.0, random.randint(10, 40)) if random.random() < _REPORTS else None
    return Order("research", work, report=report)
