"""Names of queues: what may be set and what is published is judged alike."""

from __future__ import annotations

import pytest

from bioagents_exporter.read.snapshot import is_queue
from bioagents_exporter.settings import values

NAMES = ("chat", "_x", "a.b-c_d", "__x", "__acks__", "chat.DQ", "chat.XQ", "chat.msgs", "a.msgs.b")


@pytest.mark.parametrize("name", NAMES)
def test_what_may_be_set_is_published(name: str) -> None:
    """A queue that is asked for by name and never shown would be a riddle."""
    try:
        accepted = values.queue(name) == name
    except ValueError:
        accepted = False
    assert accepted == is_queue(name)
