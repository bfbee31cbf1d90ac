"""Names of queues: one rule for those that may be set and those that are published."""

from __future__ import annotations

from bioagents_exporter.read.snapshot import is_queue
from bioagents_exporter.settings import values

NAMES = ("chat", "_x", "a.b-c_d", "__x", "__acks__", "chat.DQ", "chat.XQ", "chat.msgs", "a.msgs.b")


def test_what_may_be_set_is_published() -> None:
    """A queue that is named in the settings is shown."""
    assert {name: accepted(name) for name in NAMES} == {name: is_queue(name) for name in NAMES}


def accepted(name: str) -> bool:
    """Whether the settings take this name."""
    try:
        return values.queue(name) == name
    except ValueError:
        return False
