"""The story and the load of the demo: pure, so held without a process."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_demo.load import Order, orders, poisson
from bioagents_demo.reference.actors import FAILURES, LONGEST_JOB
from bioagents_demo.story import LENGTH, STORY, Chapter, chapter_at, chapter_number

CALM = Chapter(0, "calm")


def sent(chapter: Chapter, seconds: float = 200.0, *, begins: bool = False) -> list[Order]:
    random = Random(7)
    return [order for _ in range(int(seconds * 4)) for order in orders(random, chapter, 0.25, begins=begins)]


def test_the_story_is_in_order_and_begins_at_once() -> None:
    """A chapter ends where the next begins; the last one ends with the story."""
    starts = [chapter.start for chapter in STORY]
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert starts[-1] < LENGTH


@given(st.floats(0, 100_000), st.floats(0, 50))
def test_chapters_are_numbered_as_they_come(elapsed: float, step: float) -> None:
    """The number never falls, and two moments of one number are in one chapter."""
    before, after = chapter_number(elapsed), chapter_number(elapsed + step)
    assert before <= after
    assert before != after or chapter_at(elapsed) is chapter_at(elapsed + step)


def test_the_first_half_minute_shows_a_burst_and_failures() -> None:
    """Whoever looks for thirty seconds sees more than ordinary load."""
    seen = [chapter for chapter in STORY if chapter.start < 30]
    assert any(chapter.burst for chapter in seen)
    assert any(chapter.hopeless and chapter.overloaded for chapter in seen)


@pytest.mark.parametrize("expected", [0.0, 0.06, 1.5, 6.0])
def test_poisson_has_its_mean(expected: float) -> None:
    """Over many draws."""
    random = Random(1)
    assert mean(poisson(random, expected) for _ in range(5000)) == pytest.approx(expected, rel=0.1, abs=0.01)


def test_calm_load_has_no_failures() -> None:
    """Alerts are quiet until the story brings a fault."""
    assert {order.work.failure for order in sent(CALM)} == {""}


def test_calm_load_has_every_kind_of_job() -> None:
    """Direct, delayed, a single stage and a pipeline; research from minutes to eight hours."""
    calm = sent(replace(CALM, research_rate=5.0))
    assert {order.actor for order in calm} == {"answer", "follow_up", "research"}
    assert all(order.delay > 0 for order in calm if order.actor == "follow_up")
    research = [order for order in calm if order.actor == "research"]
    assert {order.report is None for order in research} == {True, False}
    assert min(order.work.seconds for order in research) >= 300
    assert max(order.work.seconds for order in research) == LONGEST_JOB


def test_rates_are_kept() -> None:
    """Jobs a second, as the chapter says."""
    chats = [order for order in sent(CALM) if order.actor != "research"]
    assert len(chats) / 200 == pytest.approx(CALM.chat_rate, rel=0.1)


def test_a_burst_comes_once() -> None:
    """With the first jobs of its chapter only."""
    chapter = replace(CALM, chat_rate=0.0, research_rate=0.0, burst=9)
    assert len(list(orders(Random(1), chapter, 0.25, begins=True))) == 9
    assert list(orders(Random(1), chapter, 0.25, begins=False)) == []


def test_faults_name_failures_that_workers_know() -> None:
    """Every exception that a chapter asks for is one of the reference actors'."""
    asked = {order.work.failure for chapter in STORY for order in sent(chapter)} - {""}
    assert asked
    assert asked <= set(FAILURES)
