"""The scenario of the demo: its phases and the jobs of each."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_demo.reference.actors import FAILURES, LONGEST_JOB
from bioagents_demo.scenario import LENGTH, PHASES, Order, Phase, orders, phase_at, phase_number, poisson

ORDINARY = Phase(0, "ordinary")


def sent(phase: Phase, seconds: float = 200.0, *, starts: bool = False) -> list[Order]:
    random = Random(7)
    return [order for _ in range(int(seconds * 4)) for order in orders(random, phase, 0.25, starts=starts)]


def test_phases_are_in_order_and_the_first_starts_at_once() -> None:
    """A phase ends where the next one starts; the last one ends with the scenario."""
    times = [phase.start for phase in PHASES]
    assert times == sorted(set(times))
    assert times[0] == 0
    assert times[-1] < LENGTH


@given(st.floats(0, 100_000), st.floats(0, 50))
def test_phases_are_numbered_in_order(elapsed: float, step: float) -> None:
    """The number never decreases, and two moments with the same number are in the same phase."""
    before, after = phase_number(elapsed), phase_number(elapsed + step)
    assert before <= after
    assert before != after or phase_at(elapsed) is phase_at(elapsed + step)


def test_the_first_half_minute_shows_a_burst_and_failures() -> None:
    """Thirty seconds show more than ordinary load."""
    seen = [phase for phase in PHASES if phase.start < 30]
    assert any(phase.burst for phase in seen)
    assert any(phase.hopeless and phase.overloaded for phase in seen)


@pytest.mark.parametrize("expected", [0.0, 0.06, 1.5, 6.0])
def test_poisson_has_its_mean(expected: float) -> None:
    """The mean of many draws is the expected one."""
    random = Random(1)
    assert mean(poisson(random, expected) for _ in range(5000)) == pytest.approx(expected, rel=0.1, abs=0.01)


def test_ordinary_load_has_no_failures() -> None:
    """No alert fires before the first fault."""
    assert {order.work.failure for order in sent(ORDINARY)} == {""}


def test_ordinary_load_has_every_kind_of_job() -> None:
    """Without and with delay, alone and in a pipeline; research from minutes to eight hours."""
    found = sent(replace(ORDINARY, research_rate=5.0))
    assert {order.actor for order in found} == {"answer", "follow_up", "research"}
    assert all(order.delay > 0 for order in found if order.actor == "follow_up")
    research = [order for order in found if order.actor == "research"]
    assert {order.report is None for order in research} == {True, False}
    assert min(order.work.seconds for order in research) >= 300
    assert max(order.work.seconds for order in research) == LONGEST_JOB


def test_jobs_arrive_at_the_rate_of_the_phase() -> None:
    """Within 10 % over 200 seconds."""
    chats = [order for order in sent(ORDINARY) if order.actor != "research"]
    assert len(chats) / 200 == pytest.approx(ORDINARY.chat_rate, rel=0.1)


def test_burst_is_sent_once() -> None:
    """At the start of its phase only."""
    phase = replace(ORDINARY, chat_rate=0.0, research_rate=0.0, burst=9)
    assert len(list(orders(Random(1), phase, 0.25, starts=True))) == 9
    assert list(orders(Random(1), phase, 0.25, starts=False)) == []


def test_faults_name_failures_that_workers_know() -> None:
    """Every exception that a phase names is one of the reference actors'."""
    asked = {order.work.failure for phase in PHASES for order in sent(phase)} - {""}
    assert asked
    assert asked <= set(FAILURES)
