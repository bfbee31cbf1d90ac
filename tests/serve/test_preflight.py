"""What the first read means for the start."""

from __future__ import annotations

import pytest

from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.serve.preflight import PASSING, is_empty, namespaces, nothing_found, refusal
from bioagents_exporter.settings import Secret, Settings
from support.polling import free_port
from support.snapshots import queue, snapshot, totals, worker

ENDING = (*PASSING, Cause.REDIS_CLUSTER, Cause.REDIS_ERROR, Cause.REDIS_DENIED)


@pytest.mark.parametrize("cause", Cause)
def test_causes_that_end_it(cause: Cause) -> None:
    """Redis as a whole: yes. One damaged key: no, it is left out and counted."""
    read = Snapshot(None, 0.0, errors={cause: 1}, failure="Redis h:1: why.")
    for wait in (False, True):
        text = refusal(read, Settings(redis_url=Secret("redis://:hunter2@h:1"), redis_wait=wait))
        ends = cause in ENDING and not (wait and cause in PASSING)
        assert bool(text) is ends
        assert not ends or text.startswith("--redis.url redis://:***@h:1: Redis h:1: why: expected ")


def test_a_part_that_is_refused_ends_it_too() -> None:
    """The reader may have got through with the rest; an ACL does not mend itself."""
    text = refusal(snapshot(errors={Cause.REDIS_DENIED: 2}), Settings(namespace="shop"))
    assert "Redis refuses a part of what is read" in text
    assert "~shop:* ~bioagents:*" in text


@pytest.mark.parametrize(
    ("read", "empty"),
    [
        (snapshot(stores=(), queues=(queue("chat"),)), True),
        (snapshot(stores=()), True),
        (snapshot(), False),
        (snapshot(stores=(), queues=(queue("chat", waiting=1),)), False),
        (snapshot(stores=(), queues=(queue("chat", dead=1),)), False),
        (snapshot(stores=(), workers=(worker("w"),)), False),
        (snapshot(stores=(), totals=(totals("chat", {}),)), False),
        (Snapshot(None, 0.0, failure="away"), False),
    ],
)
def test_an_empty_namespace(read: Snapshot, empty: bool) -> None:  # noqa: FBT001 - a column of the table
    """Nothing of Dramatiq, nothing of ours; not being able to look is something else."""
    assert is_empty(read) is empty


def test_other_namespaces_are_named_where_they_are_known() -> None:
    """The typing error shows at once."""
    assert nothing_found(Settings()).endswith("in it yet")
    assert nothing_found(Settings(), ("a", "b")).endswith("; this Redis has 'a', 'b'")
    assert nothing_found(Settings(namespace="a"), ("a", "b")).endswith("; this Redis has 'b'")
    assert nothing_found(Settings(namespace="a"), ("a",)).endswith("in it yet")


def test_looking_for_namespaces_never_fails() -> None:
    """It is a courtesy."""
    assert namespaces(Secret(f"redis://127.0.0.1:{free_port()}/0")) == ()
