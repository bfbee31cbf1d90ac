"""The queues from Dramatiq's keys: never negative, and left out where nothing was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bioagents_exporter.read.snapshot import QueueAudit
from support.snapshots import NOW, Series, published, queue, snapshot


def of_queue(**parts: Any) -> dict[str, Series]:  # noqa: ANN401 - of many types
    """What is published of one queue."""
    read = queue("chat")
    return published(snapshot(queues=(replace(read, **parts),)))


def test_depth_by_state() -> None:
    """Held is what the hash has more than the list."""
    found = of_queue(waiting=3, messages=10, delayed=4, dead=5)["queue_depth"]
    assert found == {
        ("chat", "waiting"): 3, ("chat", "active"): 7, ("chat", "delayed"): 4, ("chat", "dead"): 5,
    }  # fmt: skip


def test_active_is_never_below_zero() -> None:
    """After a purge, or an id in the list whose message is gone."""
    assert of_queue(waiting=3, messages=2)["queue_depth"]["chat", "active"] == 0


def test_what_was_not_read_is_left_out() -> None:
    """A key of a wrong type hides its own number, no other, and is never 0."""
    gone = {
        "waiting": {"waiting", "active"}, "messages": {"active"}, "delayed": {"delayed"}, "dead": {"dead"},
    }  # fmt: skip
    shown = {part: of_queue(**{"waiting": 1} | {part: None})["queue_depth"] for part in gone}
    states = {"waiting", "active", "delayed", "dead"}
    assert {part: states - {state for _, state in depth} for part, depth in shown.items()} == gone


def test_age_of_the_oldest_job() -> None:
    """0 without waiting jobs, absent where the head could not be read, never negative."""
    ages = {(0, None): 0, (0, NOW - 9): 0, (2, NOW - 9): 9, (2, NOW + 1): 0, (2, None): None}
    name = "queue_oldest_job_age_seconds"
    assert {
        (waiting, ready): of_queue(waiting=waiting, head_ready=ready)[name].get(("chat",))
        for waiting, ready in ages
    } == ages


def test_age_of_a_job_behind_one_with_an_eta() -> None:
    """The audit finds it; what it found behind another head is not used."""
    audits = {"chat": QueueAudit(0, 0, 0, 0, {}, NOW - 5, NOW - 60)}
    name = "queue_oldest_job_age_seconds"
    for head, head_delayed, age in ((NOW + 600, True, 60), (NOW - 70, True, 70), (NOW - 3, False, 3)):
        of = queue("chat", waiting=2, head_ready=head, head_delayed=head_delayed)
        assert published(snapshot(queues=(of,), audits=audits))[name] == {("chat",): age}
    of = queue("chat", waiting=2, head_ready=NOW + 600, head_delayed=True)
    assert published(snapshot(queues=(of,)))[name] == {("chat",): 0}


def test_age_of_the_oldest_dead_letter() -> None:
    """0 without dead letters, absent where it could not be read, never negative."""
    ages = {(0, None): 0, (3, NOW - 60): 60, (3, NOW + 1): 0, (3, None): None, (None, 1.0): None}
    name = "queue_dead_oldest_age_seconds"
    assert {
        (dead, oldest): of_queue(dead=dead, dead_oldest=oldest)[name].get(("chat",)) for dead, oldest in ages
    } == ages


def test_what_is_read_in_the_background_has_an_age() -> None:
    """The oldest of all audits; a part that was not read is left out."""
    audits = {
        "a": QueueAudit(1, 2, None, 4, {"waiting": 7}, NOW - 5),
        "b": QueueAudit(0, 0, 0, None, {}, NOW - 45),
    }
    found = published(snapshot(audits=audits))
    assert found["queue_orphaned_jobs"] == {("a",): 1, ("b",): 0}
    assert found["queue_unheld_jobs"] == {("a",): 2, ("b",): 0}
    assert found["queue_stuck_jobs"] == {("b",): 0}
    assert found["queue_overdue_delayed_jobs"] == {("a",): 4}
    assert found["queue_messages_bytes"] == {("a", "waiting"): 7}
    assert found["exporter_source_age_seconds"]["audit",] == 45


def test_before_the_first_audit_there_is_neither_number_nor_age() -> None:
    """Zeros would mean that nothing is orphaned."""
    found = published(snapshot(queues=(queue("chat"),)))
    assert found["queue_orphaned_jobs"] == {}
    assert ("audit",) not in found["exporter_source_age_seconds"]
