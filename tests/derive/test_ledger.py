"""Who succeeded, and of which instant their numbers are."""

from __future__ import annotations

from bioagents_exporter.derive.ledger import Ledger


def test_source_with_nothing_to_read_has_no_age() -> None:
    """Where all that the audit looked at is gone, its age must not grow for ever: nothing is stale."""
    ledger = Ledger(clock=lambda: 0.0)
    ledger.run("audit", list, 100.0, lambda: 3.0)
    assert ledger.sources["audit"].fresh_at == 97.0
    ledger.run("audit", list, 200.0, lambda: None)
    assert ledger.sources["audit"].success
    assert ledger.sources["audit"].fresh_at is None


def test_failure_keeps_the_age_of_what_was_read() -> None:
    """It says how old the last numbers are."""

    def broken() -> list[int]:
        raise RuntimeError

    ledger = Ledger(clock=lambda: 0.0)
    ledger.run("audit", list, 100.0)
    ledger.run("audit", broken, 200.0)
    assert not ledger.sources["audit"].success
    assert ledger.sources["audit"].fresh_at == 100.0
