"""Which events add to which counters."""

from __future__ import annotations

import dramatiq
import pytest
from dramatiq.middleware import Shutdown
from dramatiq.middleware.time_limit import TimeLimitExceeded

from bioagents_worker import _events as events
from bioagents_worker._events import Log, Recorder, ThreadLocal
from bioagents_worker._tally import Tally

MS = 1_000_000
#: Unix time in ms at which the monotonic clock of these tests began.
BOOT = 1_764_000_000_000


class Thread:
    """The log of one thread and the tally that counts it; its monotonic clock began at BOOT."""

    def __init__(self) -> None:
        self.tally = Tally({"act"})
        self.recorder = Recorder()
        self.local = ThreadLocal(self.recorder)

    def happens(self, *new: events.Event) -> dict[str, dict[str, int]]:
        for event in new:
            self.local.append(event)
        for log, taken, ended in self.recorder.drain():
            self.tally.add(log, taken, ended=ended, wall_minus_monotonic_ns=BOOT * MS)
        return self.tally.take()


@pytest.fixture
def thread() -> Thread:
    return Thread()


def start(
    at_ms: int = 1000, *, actor: str = "act", queue: str = "q", ready: object = BOOT + 990
) -> events.Event:
    return (events.START, at_ms * MS, queue, actor, "id", ready, BOOT + 980)


def end(
    at_ms: int = 1003, exception: type[BaseException] | None = None, *, failed: bool = False
) -> events.Event:
    return (events.END, at_ms * MS, exception, failed)


def test_success_counts_once_in_every_place(thread: Thread) -> None:
    """An attempt adds one to processed and succeeded, and its duration and wait."""
    assert thread.happens(start(), end()) == {
        "q": {
            "wait|act|1": 1, "wait_us|act": 10_000, "processed|act": 1,
            "duration|act|0": 1, "duration_us|act": 3_000, "succeeded|act": 1,
        }
    }  # fmt: skip


def test_job_failed_without_an_exception_did_not_succeed(thread: Thread) -> None:
    """After ``message.fail()`` by a middleware it is processed, and not succeeded."""
    counts = thread.happens(start(), end(failed=True))["q"]
    assert counts["processed|act"] == 1
    assert "succeeded|act" not in counts


def test_second_report_of_one_attempt_is_ignored(thread: Thread) -> None:
    """After an interrupt Dramatiq reports a successful attempt twice; it counts once, as succeeded."""
    counts = thread.happens(start(), end(), end(1004, TimeLimitExceeded))["q"]
    assert (counts["processed|act"], counts["succeeded|act"]) == (1, 1)
    assert not [name for name in counts if name.startswith("failures")]


def test_end_without_start_is_ignored(thread: Thread) -> None:
    """As of an attempt that started before the middleware was added."""
    assert thread.happens(end()) == {}


def test_postponed_attempt_is_no_failure(thread: Thread) -> None:
    """It is processed, and neither succeeded nor failed."""
    for exception in (dramatiq.Retry, dramatiq.RateLimitExceeded, Shutdown):
        counts = thread.happens(start(), end(1003, exception))["q"]
        assert counts["processed|act"] == 1
        assert not [name for name in counts if name.startswith(("failures", "succeeded"))], exception


def test_failures_by_class_are_bounded(thread: Thread) -> None:
    """From the thirty-first class of an actor on, failures have the label (other)."""
    classes = [type(f"E{i}", (Exception,), {}) for i in range(35)]
    counts = thread.happens(*[event for c in classes for event in (start(), end(1003, c))])["q"]
    named = {name: n for name, n in counts.items() if name.startswith("failures|act|")}
    assert len(named) == 31
    assert named["failures|act|(other)"] == 5


def test_undeclared_actor_has_one_label(thread: Thread) -> None:
    """Names in messages cannot make any number of series."""
    counts = thread.happens(start(actor="x1"), end(), (events.DEAD, "q", "x2"))["q"]
    assert counts["processed|(unknown)"] == counts["dead|(unknown)"] == 1


def test_delay_queue_belongs_to_its_queue(thread: Thread) -> None:
    """``q.DQ`` is not reported as a queue."""
    assert thread.happens((events.RETRY, "q.DQ", "act")) == {"q": {"retries|act": 1}}
    assert thread.happens((events.DEAD, "q.DQ", "act")) == {"q": {"dead|act": 1}}


def test_skip_counts_unless_it_is_dead(thread: Thread) -> None:
    """A skipped job that failed (AgeLimit) is counted as dead by its own event."""
    assert thread.happens(start(), (events.SKIP, False))["q"]["skipped|act"] == 1
    counts = thread.happens(start(), (events.SKIP, True), (events.DEAD, "q", "act"))["q"]
    assert "skipped|act" not in counts
    assert counts["dead|act"] == 1


def test_wait_without_stamp_uses_the_timestamp(thread: Thread) -> None:
    """Without JobMetrics in the producer, or with junk as stamp, the wait starts at the message timestamp."""
    assert thread.happens(start(ready=None))["q"]["wait_us|act"] == 20_000
    assert thread.happens(start(ready="junk"))["q"]["wait_us|act"] == 20_000


def test_wait_is_never_negative(thread: Thread) -> None:
    """It is 0 if the producer's clock is ahead."""
    assert thread.happens(start(ready=BOOT + 5_000))["q"]["wait_us|act"] == 0


def test_attempt_runs_until_its_end(thread: Thread) -> None:
    """Until its end, its skip, or the end of its thread."""
    thread.happens(start())
    assert [attempt.actor for attempt in thread.tally.running()] == ["act"]
    thread.happens(end())
    assert not list(thread.tally.running())
    thread.happens(start(), (events.SKIP, False))
    assert not list(thread.tally.running()), "skipped"
    thread.happens(start())
    del thread.local  # as when the thread ends
    thread.tally.take()
    for log, taken, ended in thread.recorder.drain():
        thread.tally.add(log, taken, ended=ended, wall_minus_monotonic_ns=0)
    assert not list(thread.tally.running())


def test_bucket_bounds_are_inclusive(thread: Thread) -> None:
    """A value equal to a bound is in its bucket, as Prometheus' ``le`` says."""
    assert "duration|act|0" in thread.happens(start(1000), end(1005))["q"]
    assert "duration|act|1" in thread.happens(start(1000), end(1006))["q"]
    assert "duration|act|21" in thread.happens(start(0), end(28_800_001))["q"]


def test_events_appended_during_a_drain_are_kept() -> None:
    """They are taken by the next one."""
    recorder = Recorder()
    local = ThreadLocal(recorder)
    local.append((1,))
    ((log, taken, ended),) = list(recorder.drain())
    assert isinstance(log, Log)
    local.append((2,))
    ((_, later, _),) = list(recorder.drain())
    assert (taken, later, ended) == ([(1,)], [(2,)], False)


def test_job_with_junk_as_time_is_counted(thread: Thread) -> None:
    """With a wait of 0; the jobs before and after it are counted too."""
    for junk in (None, "yesterday", -(10**30), 10**30, [1]):
        odd = (*start()[:5], junk, junk)
        counts = thread.happens(start(), end(), odd, end(), start(), end())["q"]
        assert (counts["processed|act"], counts["succeeded|act"]) == (3, 3), junk
        assert counts["wait_us|act"] == 20_000, junk
