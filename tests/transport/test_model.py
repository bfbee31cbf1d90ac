"""The specification keeps its promises, and each rule in it is needed: a variant without it fails."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from transport.broken import VARIANTS, Broken, play
from transport.histories import HiddenRunId, History, Refusing, SomeBlind

THOROUGH = settings(
    max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("machine", [History, HiddenRunId, SomeBlind, Refusing])
def test_nothing_is_counted_twice_nor_lost_without_a_reason(machine: type[RuleBasedStateMachine]) -> None:
    """300 random histories each: with a run_id that all, some or no callers see, and without connections."""
    run_state_machine_as_test(machine, settings=THOROUGH)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_rule_is_needed(variant: type[Broken]) -> None:
    """In one history the specification keeps its promises, and a variant without the rule breaks one."""
    play((History if variant.shows_run_id else HiddenRunId)(), variant.steps)
    with pytest.raises(AssertionError):
        play(variant(), variant.steps)
