"""The specification keeps its promises, and each rule in it is needed: a variant without it fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from transport.broken import VARIANTS, NeverSilent, NoMarks, NoRollback, NoRunId, ReapsTooEarly
from transport.histories import HiddenRunId, Refusing, Transport

THOROUGH = settings(
    max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
# A variant that is caught needs no smallest example, and must be caught each time.
HUNT = settings(THOROUGH, max_examples=2000, phases=[Phase.generate], database=None, derandomize=True)


@pytest.mark.parametrize("machine", [Transport, HiddenRunId, Refusing])
def test_nothing_is_counted_twice_nor_lost_without_a_reason(machine: type[RuleBasedStateMachine]) -> None:
    """300 random histories each: with and without a visible run_id, and where connections are refused."""
    run_state_machine_as_test(machine, settings=THOROUGH)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
def test_each_rule_is_needed(variant: type[Transport]) -> None:
    """A variant of the specification that lacks one rule breaks a promise in some history."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(variant, settings=HUNT)


def _told_by_a_sequence(history: Transport) -> None:
    """Where the run_id is hidden, a sequence that went back begins an epoch: 5 counted, 3 more, back to 5."""
    _count(history, 5)
    history.snapshot()
    _count(history, 3)
    history.redis_restarts_or_fails_over(k=0, skew=0.0)
    _count(history, 2)


def _exporter_restarted_in_a_rollback(history: Transport) -> None:
    """No worker has called the new server yet."""
    _count(history, 5)
    history.snapshot()
    _count(history, 5)
    history.redis_restarts_or_fails_over(k=0, skew=0.0)
    history.exporter_restarts(i=0)
    _count(history, 1)


def _totals_evicted(history: Transport) -> None:
    """The marked hash is gone, and the counts after it stay below those before."""
    _count(history, 5)
    history.hash_is_evicted(name="totals:chat")
    _count(history, 2)


def _silent_for_less_than_half_a_day(history: Transport) -> None:
    """A caller that still knows its sequence must not have been reaped."""
    _count(history, 5)
    history.sleep(seconds=4000)
    history.reap()
    history.workers[0].call()
    assert history.store.hash("seqs").get("w1") == 1, "reaped alive"


def _silent_for_longer_than_a_day(history: Transport) -> None:
    """A caller that was reaped must not take its missing sequence for a rollback."""
    _count(history, 5)
    history.boot_one()
    history.sleep(seconds=90_000)
    history.workers[1].call()
    history.reap()
    epoch = history.store.hash("seqs")["__epoch"]
    history.workers[0].call()
    assert history.store.hash("seqs")["__epoch"] == epoch, "data went for no reason"


def _count(history: Transport, n: int) -> None:
    history.work(i=0, cell=("chat", "ok"), n=n, fate="ok")
    history.epoch_begins()
    history.workers[0].call()
    history.epoch_begins()
    history.scrape(0)


HISTORIES: list[tuple[Callable[[Transport], None], type[Transport], type[Transport]]] = [
    (_told_by_a_sequence, HiddenRunId, NoRollback),
    (_exporter_restarted_in_a_rollback, Transport, NoRunId),
    (_totals_evicted, Transport, NoMarks),
    (_silent_for_less_than_half_a_day, Transport, ReapsTooEarly),
    (_silent_for_longer_than_a_day, Transport, NeverSilent),
]


@pytest.mark.parametrize(("history", "whole", "broken"), HISTORIES)
def test_a_rule_that_random_histories_seldom_need(
    history: Callable[[Transport], None], whole: type[Transport], broken: type[Transport]
) -> None:
    """One history each: the specification passes, the variant without the rule fails."""
    _run(whole(), history)
    with pytest.raises(AssertionError):
        _run(broken(), history)


def _run(machine: Transport, history: Callable[[Transport], None]) -> None:
    history(machine)
    machine.teardown()
