"""The heartbeat of a worker, from Dramatiq's own objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from queue import PriorityQueue
from types import SimpleNamespace
from typing import Any

import pytest

from bioagents_worker import _events as events
from bioagents_worker import wire
from bioagents_worker._events import Recorder, ThreadLocal
from bioagents_worker._heartbeat import Heartbeat, listed
from bioagents_worker._tally import Attempt, Tally
from bioagents_worker.wire import RedisMessageId


class Broker:
    """The attributes of a broker that a heartbeat reads."""

    broker_id = "broker"


def thread(*, alive: bool = True, outstanding: int = 0) -> SimpleNamespace:
    consumer = SimpleNamespace(outstanding_message_count=outstanding, message_cache=[])
    return SimpleNamespace(is_alive=lambda: alive, consumer=consumer, delay_queue=PriorityQueue())


def worker(**parts: Any) -> SimpleNamespace:  # noqa: ANN401 - replaces an untyped class
    nothing: dict[str, Any] = {"worker_threads": 2}
    nothing |= {"workers": [], "consumers": {}, "work_queue": SimpleNamespace(queue=[])}
    return SimpleNamespace(**{**nothing, **parts})


def state(of: SimpleNamespace, tally: Tally | None = None) -> dict[str, Any]:
    made = Heartbeat(Broker(), of, tally or Tally(()), version="").encode(interval=5, skew=0, flush_age=0)
    return dict(json.loads(made.text.split("\n")[1]))


def test_dead_threads_are_no_slots() -> None:
    """Only living threads are counted."""
    workers = [thread(), thread(alive=False)]
    consumers = {"a": thread(), "b": thread(alive=False), "a.DQ": thread()}
    seen = state(worker(workers=workers, consumers=consumers))
    assert (seen["threads"], seen["consumers"]) == (1, 2)


def test_delayed_jobs_are_reported_apart() -> None:
    """Held and delayed jobs are under the name of their queue; an idle queue is left out."""
    consumers = {"a": thread(outstanding=3), "a.DQ": thread(outstanding=7), "b": thread()}
    seen = state(worker(consumers=consumers))
    assert (seen["held"], seen["delayed"]) == ({"a": 3}, {"a": 7})


@pytest.mark.parametrize("as_item", [lambda m: (0, m), lambda m: SimpleNamespace(message=m)])
def test_held_jobs_are_known_after_a_reconnect(as_item: Callable[[object], object]) -> None:
    """The consumer counts from zero; jobs that it fetched before run, or wait in the worker's memory."""
    recorder, tally = Recorder(), Tally({"act"})
    local = ThreadLocal(recorder)
    local.append((events.START, 0, "a", "act", "job", 0, 0))
    for log, new, ended in recorder.drain():
        tally.add(log, new, ended=ended, wall_minus_monotonic_ns=0)
    ready = [as_item(SimpleNamespace(queue_name=queue)) for queue in ("a", "b")]
    consumers = {"a": thread(outstanding=0), "b": thread(outstanding=2), "a.DQ": thread()}
    seen = state(worker(consumers=consumers, work_queue=SimpleNamespace(queue=ready)), tally)
    assert seen["held"] == {"a": 2, "b": 2}
    assert "delayed" not in seen


def test_jobs_that_a_consumer_has_fetched_and_not_passed_on_are_held() -> None:
    """One message that was enqueued three times counts once at Dramatiq's consumer, and three times here."""
    fetching = thread(outstanding=1)
    fetching.consumer.message_cache = [b"{}", b"{}"]
    seen = state(worker(consumers={"a": fetching, "a.DQ": thread(outstanding=4)}))
    assert (seen["held"], seen["delayed"]) == ({"a": 2}, {"a": 4})


def test_queues_are_those_that_the_worker_consumes() -> None:
    """Canonical, each once, and as they are when the heartbeat is made."""
    of = worker(consumers={"b": thread(), "b.DQ": thread()})
    beats = Heartbeat(Broker(), of, Tally(()), version="")
    seen = []
    for queue in ("b", "a", "a.DQ"):
        of.consumers[queue] = thread()
        text = beats.encode(interval=5, skew=0, flush_age=0).text
        seen.append(json.loads(text.split("\n")[0])["queues"])
    assert seen == [["b"], ["a", "b"], ["a", "b"]]


def test_oldest_jobs_are_listed() -> None:
    """All running jobs are counted, and the oldest listed, up to the limit."""
    recorder, tally = Recorder(), Tally({"act"})
    locals_ = [ThreadLocal(recorder) for _ in range(wire.MAX_LISTED_JOBS + 1)]
    for i, local in enumerate(reversed(locals_)):
        local.append((events.START, i * 1_000_000, "a", "act", f"job-{i}", 0, 0))
    for log, new, ended in recorder.drain():
        tally.add(log, new, ended=ended, wall_minus_monotonic_ns=0)
    seen = state(worker(), tally)
    assert seen["running"] == {"a": wire.MAX_LISTED_JOBS + 1}
    assert [job[3] for job in seen["oldest"]] == [f"job-{i}" for i in range(wire.MAX_LISTED_JOBS)]


def test_oldest_job_of_each_queue_is_listed() -> None:
    """Also if many jobs of another queue are older: a stuck job in a queue of short jobs is visible."""
    attempts = [
        Attempt(i, "long", "act", RedisMessageId(f"job-{i}")) for i in range(wire.MAX_LISTED_JOBS + 1)
    ]
    queues = enumerate(["b", "c", "b", "c"])
    short = [Attempt(100 + i, queue, "act", RedisMessageId(f"{queue}-{i}")) for i, queue in queues]
    ids = [attempt.redis_message_id for attempt in listed([*attempts, *short])]
    assert ids == [*(f"job-{i}" for i in range(wire.MAX_LISTED_JOBS)), "b-0", "c-1"]


def test_draining_is_reported() -> None:
    """Only while it is true."""
    beat = Heartbeat(Broker(), worker(), Tally(()), version="1")
    assert "draining" not in beat.encode(interval=5, skew=0, flush_age=0).text
    beat.draining = True
    assert '"draining":true' in beat.encode(interval=5, skew=0, flush_age=0).text
