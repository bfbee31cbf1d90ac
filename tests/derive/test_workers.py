"""Alive, missing and forgotten workers, and the numbers that are published of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bioagents_exporter.derive import Memory
from bioagents_exporter.read.snapshot import Worker
from bioagents_exporter.settings import Settings
from bioagents_worker.wire import RunningJob
from support.snapshots import NOW, SERVER, published, queue, snapshot, worker

GAUGES = ("worker_slots", "worker_running_jobs", "worker_memory_rss_bytes", "worker_clock_skew_seconds")


def test_alive_missing_forgotten() -> None:
    """Alive while younger than max(15 s, 3 intervals), missing until an hour, then forgotten."""
    states = {
        (-30.0, 5.0): "alive", (14.9, 0.1): "alive", (15.0, 5.0): "missing", (29.9, 10.0): "alive",
        (30.0, 10.0): "missing", (3_599.0, 10.0): "missing", (3_600.0, 10.0): "", (3_600.0, 1e9): "",
    }  # fmt: skip
    assert {(age, interval): state(age, interval) for age, interval in states} == states


def state(age: float, interval: float) -> str:
    """The state of a worker whose last heartbeat has this age, as all of its series show it."""
    found = published(snapshot(workers=(worker("w", age=age, interval=interval),)))
    alive, missing = len(found["worker_slots"]), found["workers_missing"][()]
    assert len(found["worker_info"]) == len(found["worker_last_heartbeat_timestamp_seconds"])
    assert len(found["worker_info"]) == alive + missing
    return "alive" if alive else "missing" if missing else ""


def test_of_a_missing_worker_only_its_facts_are_published() -> None:
    """Its slots, jobs and memory are no longer known; its queue has no worker, which is an alert."""
    missing = worker("w", age=60.0, running={"chat": 3}, oldest=(RunningJob("chat", "a", 5.0, "m"),))
    found = published(snapshot(workers=(missing,)))
    assert not any(found[name] for name in GAUGES)
    assert found["worker_last_heartbeat_timestamp_seconds"] == {("w",): NOW - 60}
    assert found["queue_workers"] == found["queue_running_jobs"] == {("chat",): 0}


def test_every_known_queue_has_a_number_of_workers() -> None:
    """0 where no worker consumes it: an absent series would fire no alert."""
    found = published(snapshot(queues=(queue("idle"),), workers=(worker("w", queues=("chat",)),)))
    assert found["queue_workers"] == {("chat",): 1, ("idle",): 0}


@pytest.mark.parametrize("age", [1.0, 60.0])
def test_names_that_no_queue_has_are_not_published(age: float) -> None:
    """In each field of a heartbeat, of a living worker and of a missing one."""
    names = ("", "chat.DQ", "chat.XQ", "chat.msgs", "__acks__")
    numbers = dict.fromkeys(names, 1)
    jobs = tuple(RunningJob(name, "a", 5.0, "m") for name in names)
    for draining in (True, False):
        odd = worker("w", age=age, queues=("chat", *names), draining=draining, running=numbers, held=numbers,
                     oldest=jobs)  # fmt: skip
        found = published(snapshot(queues=(queue("idle"),), workers=(odd,)))
        by_queue = {key[0] for name, series in found.items() if name.startswith("queue_") for key in series}
        assert by_queue == {"chat", "idle"}


def test_a_draining_worker_offers_neither_itself_nor_slots() -> None:
    """But what it runs and holds is there, and shown."""
    old = worker("old", draining=True, running={"chat": 1}, held={"chat": 9})
    found = published(snapshot(workers=(old, worker("new", held={"chat": 2}))))
    assert found["queue_workers"] == found["queue_draining_workers"] == {("chat",): 1}
    assert found["queue_slots"] == {("chat",): 4}
    assert found["queue_running_jobs"] == {("chat",): 1}
    assert found["queue_draining_held_jobs"] == {("chat",): 9}
    assert found["worker_slots"] == {("old",): 0, ("new",): 4}


def test_what_a_draining_worker_does_not_know_is_left_out() -> None:
    """Of that queue alone, whatever the other workers know."""
    one = worker("one", draining=True, held={"chat": 2, "mail": 1}, uncounted=("chat",))
    two = worker("two", draining=True, held={"chat": 3, "mail": 4})
    for workers in ((one, two), (two, one)):
        found = published(snapshot(workers=workers))
        assert found["queue_draining_held_jobs"] == {("mail",): 5}


def test_slots_are_living_threads() -> None:
    """A dead thread takes no job; a worker of two queues counts in both."""
    found = published(snapshot(workers=(worker("w", queues=("a", "b"), threads=3),)))
    assert found["queue_slots"] == {("a",): 3, ("b",): 3}
    assert found["worker_threads"] == {("w",): 4}


def test_the_longest_running_job_ages_after_the_heartbeat() -> None:
    """Its age is of the heartbeat; since then it has run on."""
    jobs = (
        RunningJob("chat", "a", 100.0, "m1"),
        RunningJob("chat", "a", 3.0, "m2"),
        RunningJob("x", "a", 1.0, "m3"),
    )
    found = published(snapshot(workers=(worker("w", age=4.0, oldest=jobs), worker("v", queues=("idle",)))))
    assert found["queue_longest_running_job_seconds"] == {("chat",): 104.0, ("x",): 5.0, ("idle",): 0}


def test_the_long_jobs_of_a_worker_name_their_actor() -> None:
    """The oldest job of each queue, if it has run for a minute; a name that no queue can have is left out."""
    jobs = (
        RunningJob("chat.XQ", "odd", 300.0, "m0"),
        RunningJob("chat", "slow", 200.0, "m1"),
        RunningJob("chat", "answer", 100.0, "m2"),
        RunningJob("x", "research", 57.0, "m3"),
        RunningJob("y", "short", 55.0, "m4"),
    )
    found = published(snapshot(workers=(worker("w", age=4.0, oldest=jobs), worker("v"))))
    assert found["worker_longest_running_job_seconds"] == {
        ("w", "chat", "slow"): 204.0,
        ("w", "x", "research"): 61.0,
    }


def test_the_last_start_of_a_queue_is_by_version() -> None:
    """Of its living workers that accept jobs: a draining one is of the past, a missing one is gone."""

    def started(name: str, version: str, ago: float, **more: Any) -> Worker:  # noqa: ANN401 - as of worker
        one = worker(name, **more)
        return replace(one, identity=replace(one.identity, version=version, start=NOW - ago))

    workers = (
        started("a", "1.0", 500.0, queues=("chat", "x")),
        started("b", "1.0", 900.0),
        started("c", "2.0", 60.0),
        started("d", "2.0", 5.0, draining=True),
        started("e", "3.0", 30.0, age=600.0),
    )
    assert published(snapshot(workers=workers))["queue_last_worker_start_time_seconds"] == {
        ("chat", "1.0"): NOW - 500.0,
        ("chat", "2.0"): NOW - 60.0,
        ("x", "1.0"): NOW - 500.0,
    }


def test_a_worker_seen_by_both_wire_versions_is_one() -> None:
    """An upgrade in place cannot make two; should it, the latest heartbeat counts."""
    older = worker("w", age=5.0, rss=1)
    found = published(snapshot(workers=(older, worker("w", rss=2))))
    assert found["worker_memory_rss_bytes"] == {("w",): 2}
    assert found["queue_workers"] == {("chat",): 1}


def test_a_memory_limit_that_is_not_known_is_left_out() -> None:
    """Of that worker alone."""
    found = published(snapshot(workers=(worker("w", limit=None), worker("v", limit=5))))
    assert found["worker_memory_limit_bytes"] == {("v",): 5}


def test_facts_of_a_worker() -> None:
    """One series with all of them; of many queues the first are named, and a digest of the others."""
    many = tuple(f"q{i:02}" for i in range(20))
    found = published(snapshot(workers=(worker("w", queues=many),)))
    facts = (
        "worker-1",
        "4711",
        ",".join(many[:16]) + ",+4 more (123907b9)",
        "v42",
        "2.2.1",
        "3.11.7",
        "0.1.0",
        "4",
    )
    assert found["worker_info"] == {("w", *facts): 1}


def test_facts_follow_the_identity() -> None:
    """What is remembered of a worker between scrapes is of its present identity."""
    memory = Memory()
    for version in ("v42", "v43"):
        one = worker("w")
        read = snapshot(workers=(replace(one, identity=replace(one.identity, version=version)),))
        (facts,) = published(read, memory=memory)["worker_info"]
        assert facts[4] == version


def test_roles_with_the_same_first_queues_differ() -> None:
    """Else two roles with limits of their own would look like one whose workers disagree."""
    many = tuple(f"q{i:02}" for i in range(16))
    labels = [queues_label(*many, *rest) for rest in (("x",), ("y",), ("x", "y"), ("x",))]
    assert len(set(labels)) == 3
    assert labels[0] == labels[-1]
    assert queues_label(*many) == ",".join(many)


def queues_label(*queues: str) -> str:
    """The label ``queues`` of ``worker_info`` for a worker with these queues."""
    found = published(snapshot(workers=(worker("w", queues=queues),)))
    return next(iter(found["worker_info"]))[3]


def test_a_sidecar_publishes_the_workers_of_its_host_alone() -> None:
    """Neither queues nor totals, which a central copy publishes; but whether it can read Redis."""
    workers = (
        worker("mine", host="here"),
        worker("gone", host="here", age=99.0),
        worker("other", host="there"),
    )
    settings = Settings(collect_workers="host", host="here")
    found = published(snapshot(queues=(queue("chat"),), workers=workers), settings=settings)
    assert found["worker_slots"] == {("mine",): 4}
    assert {key[0] for key in found["worker_info"]} == {"mine", "gone"}
    assert found["redis_up"] == {(): 1}
    assert not [name for name in found if name.startswith(("queue_", "job", "redis_memory", "workers_"))]


def test_a_central_copy_beside_sidecars_publishes_no_series_by_worker() -> None:
    """But the queues know their workers."""
    settings = Settings(collect_workers="none")
    found = published(snapshot(workers=(worker("w"),)), settings=settings)
    assert not [name for name in found if name.startswith("worker_") and name != "worker_boots_total"]
    assert found["queue_workers"] == {("chat",): 1}


def test_the_clock_is_the_servers() -> None:
    """Whatever this machine's clock is."""
    server = replace(SERVER, time=NOW + 100)
    assert published(snapshot(server=server, workers=(worker("w"),)))["workers_missing"] == {(): 1}
