"""The state of the sources, and the instant that their numbers are of."""

from __future__ import annotations

from bioagents_exporter.derive.source_states import SourceStates


def test_source_with_nothing_to_read_has_no_age() -> None:
    """Where all audited queues are gone, the age must not grow without end: nothing is stale."""
    states = SourceStates(clock=lambda: 0.0)
    states.run("audit", list, 100.0, lambda: 3.0)
    assert states.sources["audit"].fresh_at == 97.0
    states.run("audit", list, 200.0, lambda: None)
    assert states.sources["audit"].success
    assert states.sources["audit"].fresh_at is None


def test_failure_keeps_the_age_of_what_was_read() -> None:
    """It is the age of the last numbers."""

    def broken() -> list[int]:
        raise RuntimeError

    states = SourceStates(clock=lambda: 0.0)
    states.run("audit", list, 100.0)
    states.run("audit", broken, 200.0)
    assert not states.sources["audit"].success
    assert states.sources["audit"].fresh_at == 100.0
