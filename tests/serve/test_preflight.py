"""What the first read means for the start."""

from __future__ import annotations

from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.serve.preflight import PASSING, is_empty, namespaces, nothing_found, refusal
from bioagents_exporter.settings import Secret, Settings
from support.polling import free_port
from support.snapshots import queue, snapshot, totals, worker

ENDING = (*PASSING, Cause.REDIS_CLUSTER, Cause.REDIS_ERROR, Cause.REDIS_DENIED)


def test_causes_that_end_it() -> None:
    """Redis as a whole: yes. One damaged key: no, it is left out and counted."""
    texts = {(cause, wait): refused(cause, wait=wait) for cause in Cause for wait in (False, True)}
    ending = {(cause, wait) for cause in ENDING for wait in (False, True) if not (wait and cause in PASSING)}
    assert {key for key, text in texts.items() if text} == ending
    start = "--redis.url redis://:***@h:1: Redis h:1: why: expected "
    assert [key for key in ending if not texts[key].startswith(start)] == []


def refused(cause: Cause, *, wait: bool) -> str:
    """Why the exporter does not start after a read that failed for this cause."""
    read = Snapshot(None, 0.0, errors={cause: 1}, failure="Redis h:1: why.")
    return refusal(read, Settings(redis_url=Secret("redis://:hunter2@h:1"), redis_wait=wait))


def test_a_part_that_is_refused_ends_it_too() -> None:
    """Other parts may have been read; an ACL does not change by itself."""
    text = refusal(snapshot(errors={Cause.REDIS_DENIED: 2}), Settings(namespace="shop"))
    assert "Redis refuses a part of the read" in text
    assert "~shop:* ~bioagents:*" in text


def test_an_empty_namespace() -> None:
    """Nothing of Dramatiq and nothing of JobMetrics; a read that failed is another matter."""
    empty = [snapshot(stores=(), queues=(queue("chat"),)), snapshot(stores=())]
    used = [
        snapshot(),
        snapshot(stores=(), used=True),
        snapshot(stores=(), queues=(queue("chat", waiting=1),)),
        snapshot(stores=(), queues=(queue("chat", messages=1),)),
        snapshot(stores=(), queues=(queue("chat", delayed=1),)),
        snapshot(stores=(), queues=(queue("chat", dead=1),)),
        snapshot(stores=(), workers=(worker("w"),)),
        snapshot(stores=(), totals=(totals("chat", {}),)),
        Snapshot(None, 0.0, failure="away"),
    ]
    assert [is_empty(read) for read in (*empty, *used)] == [True] * len(empty) + [False] * len(used)


def test_other_namespaces_are_named_where_they_are_known() -> None:
    """The typing error shows at once."""
    assert nothing_found(Settings()).endswith("in it yet")
    assert nothing_found(Settings(), ("a", "b")).endswith("; this Redis has 'a', 'b'")
    assert nothing_found(Settings(namespace="a"), ("a", "b")).endswith("; this Redis has 'b'")
    assert nothing_found(Settings(namespace="a"), ("a",)).endswith("in it yet")


def test_looking_for_namespaces_never_fails() -> None:
    """It only adds to a warning."""
    assert namespaces(Secret(f"redis://127.0.0.1:{free_port()}/0")) == ()
