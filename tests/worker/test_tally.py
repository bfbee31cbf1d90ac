"""Which events add to which counter."""

from __future__ import annotations

import dramatiq
import pytest
from dramatiq.middleware import Shutdown
from dramatiq.middleware.time_limit import TimeLimitExceeded

from bioagents_worker import _events as events
from bioagents_worker._events import Log, Recorder, ThreadLocal
from bioagents_worker._tally import Tally

MS = 1_000_000


class Thread:
    """One thread's log and the tally that counts it; the wall clock is the monotonic one."""

    def __init__(self) -> None:
        self.tally = Tally({"act"})
        self.recorder = Recorder()
        self.local = ThreadLocal(self.recorder)

    def happens(self, *new: events.Event) -> dict[str, dict[str, int]]:
        for event in new:
            self.local.append(event)
        for log, taken, ended in self.recorder.drain():
            self.tally.add(log, taken, ended=ended, wall_minus_monotonic_ns=0)
        return self.tally.take()


@pytest.fixture
def thread() -> Thread:
    return Thread()


def start(at_ms: int = 1000, *, actor: str = "act", queue: str = "q", ready: object = 990) -> events.Event:
    return (events.START, at_ms * MS, queue, actor, "id", ready, 980)


def end(
    at_ms: int = 1003, exception: type[BaseException] | None = None, *, failed: bool = False
) -> events.Event:
    return (events.END, at_ms * MS, exception, failed)


def test_success_counts_once_in_every_place(thread: Thread) -> None:
    """An attempt adds to processed, succeeded, its duration and its wait."""
    assert thread.happens(start(), end()) == {
        "q": {
            "wait|act|1": 1, "wait_us|act": 10_000, "processed|act": 1,
            "duration|act|0": 1, "duration_us|act": 3_000, "succeeded|act": 1,
        }
    }  # fmt: skip


def test_job_that_was_failed_without_an_exception_did_not_succeed(thread: Thread) -> None:
    """A middleware may call ``message.fail()``."""
    counts = thread.happens(start(), end(failed=True))["q"]
    assert counts["processed|act"] == 1
    assert "succeeded|act" not in counts


def test_second_report_of_one_attempt_is_ignored(thread: Thread) -> None:
    """An interrupt after a success makes Dramatiq report it twice; it counts once, as what it was."""
    counts = thread.happens(start(), end(), end(1004, TimeLimitExceeded))["q"]
    assert (counts["processed|act"], counts["succeeded|act"]) == (1, 1)
    assert not [name for name in counts if name.startswith("failures")]


def test_end_without_start_is_ignored(thread: Thread) -> None:
    """A middleware added late sees ends whose start it never saw."""
    assert thread.happens(end()) == {}


@pytest.mark.parametrize("exception", [dramatiq.Retry, dramatiq.RateLimitExceeded, Shutdown])
def test_later_is_no_failure(thread: Thread, exception: type[BaseException]) -> None:
    """What means "later" is processed, neither succeeded nor failed."""
    counts = thread.happens(start(), end(1003, exception))["q"]
    assert counts["processed|act"] == 1
    assert not [name for name in counts if name.startswith(("failures", "succeeded"))]


def test_failures_by_class_are_bounded(thread: Thread) -> None:
    """The thirty-first class of an actor and all after it are one."""
    classes = [type(f"E{i}", (Exception,), {}) for i in range(35)]
    counts = thread.happens(*[event for c in classes for event in (start(), end(1003, c))])["q"]
    named = {name: n for name, n in counts.items() if name.startswith("failures|act|")}
    assert len(named) == 31
    assert named["failures|act|(other)"] == 5


def test_undeclared_actor_has_one_label(thread: Thread) -> None:
    """Names from outside cannot make series without end."""
    counts = thread.happens(start(actor="x1"), end(), (events.DEAD, "q", "x2"))["q"]
    assert counts["processed|(unknown)"] == counts["dead|(unknown)"] == 1


def test_delay_queue_belongs_to_its_queue(thread: Thread) -> None:
    """``q.DQ`` never shows as a queue."""
    assert thread.happens((events.RETRY, "q.DQ", "act")) == {"q": {"retries|act": 1}}
    assert thread.happens((events.DEAD, "q.DQ", "act")) == {"q": {"dead|act": 1}}


def test_enqueue_counts_first_time_only(thread: Thread) -> None:
    """Announced and done: one; done again without being announced: none; announced and failed: none."""
    enqueued = (events.ENQUEUED, "id", "q", "act")
    first = (events.FIRST, "id")
    assert thread.happens(first, enqueued, enqueued) == {"q": {"enqueued|act": 1}}
    assert thread.happens((events.FIRST, "failed"), enqueued) == {}


def test_skip_counts_unless_dead(thread: Thread) -> None:
    """An age-limited job is dead, which its own event says; any other skip is a skip."""
    assert thread.happens(start(), (events.SKIP, False))["q"]["skipped|act"] == 1
    counts = thread.happens(start(), (events.SKIP, True), (events.DEAD, "q", "act"))["q"]
    assert "skipped|act" not in counts
    assert counts["dead|act"] == 1


def test_wait_without_stamp_uses_the_timestamp(thread: Thread) -> None:
    """A producer without JobMetrics: since construction; a stamp that is no number is no stamp."""
    assert thread.happens(start(ready=None))["q"]["wait_us|act"] == 20_000
    assert thread.happens(start(ready="junk"))["q"]["wait_us|act"] == 20_000


def test_wait_is_never_negative(thread: Thread) -> None:
    """A producer's clock may be ahead."""
    assert thread.happens(start(ready=5_000))["q"]["wait_us|act"] == 0


def test_running_until_its_end(thread: Thread) -> None:
    """An attempt runs from its start to its end, and not when its thread is gone."""
    thread.happens(start())
    assert [attempt.actor for attempt in thread.tally.running()] == ["act"]
    thread.happens(end())
    assert not list(thread.tally.running())
    thread.happens(start(), (events.SKIP, False))
    assert not list(thread.tally.running()), "skipped"
    thread.happens(start())
    del thread.local  # the thread's storage dies with it
    thread.tally.take()
    for log, taken, ended in thread.recorder.drain():
        thread.tally.add(log, taken, ended=ended, wall_minus_monotonic_ns=0)
    assert not list(thread.tally.running())


def test_bucket_bounds_are_inclusive(thread: Thread) -> None:
    """Prometheus' ``le``: a value on a bound belongs to its bucket."""
    assert "duration|act|0" in thread.happens(start(1000), end(1005))["q"]
    assert "duration|act|1" in thread.happens(start(1000), end(1006))["q"]
    assert "duration|act|21" in thread.happens(start(0), end(28_800_001))["q"]


def test_log_keeps_what_comes_while_it_is_taken() -> None:
    """Nothing that is appended is lost."""
    recorder = Recorder()
    local = ThreadLocal(recorder)
    local.append((1,))
    ((log, taken, ended),) = list(recorder.drain())
    assert isinstance(log, Log)
    local.append((2,))
    ((_, later, _),) = list(recorder.drain())
    assert (taken, later, ended) == ([(1,)], [(2,)], False)


@pytest.mark.parametrize("junk", [None, "yesterday", -(10**30), 10**30, [1]])
def test_junk_for_a_time_costs_no_neighbour_its_count(thread: Thread, junk: object) -> None:
    """A message without a time that can be: it counts, its wait as 0, and so do those beside it."""
    odd = (*start()[:5], junk, junk)
    counts = thread.happens(start(), end(), odd, end(), start(), end())["q"]
    assert (counts["processed|act"], counts["succeeded|act"]) == (3, 3)
    assert counts["wait_us|act"] == 20_000
