"""The limit for the run time of a queue's jobs: as set, else by what the queue usually does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.derive import Memory, sample
from bioagents_exporter.derive.durations import ENOUGH, FACTOR, LEAST, UNKNOWN, usual_duration
from bioagents_exporter.read.snapshot import Snapshot, Store
from bioagents_exporter.settings import Limits, QueueLimits, Settings
from bioagents_worker.wire import BUCKETS
from support.snapshots import RUN_ID, Series, published, queue, snapshot, totals

COUNTS = st.lists(
    st.integers(min_value=0, max_value=10_000), min_size=len(BUCKETS) + 1, max_size=len(BUCKETS) + 1
).filter(any)


def attempts(**actors: dict[float, int]) -> dict[str, int]:
    """The totals of a queue; of each actor the attempts by the bucket in which they ended."""
    bounds = [*BUCKETS, float("inf")]
    return {
        f"duration|{actor}|{bounds.index(bound)}": n
        for actor, histogram in actors.items()
        for bound, n in histogram.items()
    }


def limit(fields: dict[str, int], set_to: float | None = None) -> float:
    """The published limit of a queue with these totals."""
    read = snapshot(queues=(queue("chat"),), totals=(totals("chat", fields),) if fields else ())
    return limits(read, Settings(limits=Limits(QueueLimits(job_duration_seconds=set_to))))["chat",]


def limits(read: Snapshot, settings: Settings | None = None) -> Series:
    """The published limits after one sample."""
    memory = Memory()
    sample(read, memory, settings or Settings(), 1_000.0)
    return published(read, memory=memory, settings=settings)["queue_job_duration_limit_seconds"]


def test_a_queue_of_short_jobs_has_a_short_limit() -> None:
    """Jobs of seconds: ten minutes, however few of them took longer."""
    assert limit(attempts(answer={1.0: 900, 10.0: 95, 3600.0: 5})) == LEAST == 600


def test_a_queue_of_long_jobs_has_a_long_limit() -> None:
    """Three times what 99 % of the attempts stay below."""
    assert limit(attempts(render={3600.0: 100})) == 3 * (1800 + 0.99 * 1800)


def test_the_slowest_actor_counts() -> None:
    """A report of two hours once a day among millions of short jobs is as usual as they are."""
    assert limit(attempts(answer={1.0: 5_000_000}, report={7200.0: 30})) > 3 * 7000


def test_a_long_job_that_has_run_once_is_expected() -> None:
    """A nightly job needs weeks until its run time is known; until then no alert may call it too long."""
    assert limit(attempts(answer={1.0: 5_000_000}, report={7200.0: 1})) > 3 * 7000


def test_enough_attempts_make_a_history() -> None:
    """From twenty on."""
    assert limit(attempts(answer={1.0: 20})) == LEAST


def test_without_history_the_limit_is_eight_hours() -> None:
    """No attempt yet, or too few to know."""
    few = attempts(answer={1.0: ENOUGH - 1})
    assert {limit({}), limit(few), limit({"enqueued|answer": 9})} == {UNKNOWN} == {28_800}


def test_a_limit_that_is_set_counts_alone() -> None:
    """Shorter or longer than the jobs are."""
    for seconds in (5.0, 90_000.0):
        assert limit(attempts(answer={60.0: 1000}), seconds) == seconds


def test_attempts_above_the_highest_bound() -> None:
    """Their time is not known; the highest bound stands for it."""
    assert limit(attempts(train={float("inf"): 50})) == 3 * BUCKETS[-1]


def test_both_wire_versions_count() -> None:
    """Workers of the version before run jobs of the same queue."""
    old = totals("chat", attempts(render={3600.0: 100}), epoch=900, wire=0)
    new = totals("chat", attempts(render={1.0: 100}))
    read = snapshot(
        queues=(queue("chat"),), totals=(old, new), stores=(Store(1, 1_000, RUN_ID), Store(0, 900, RUN_ID))
    )
    assert limits(read)["chat",] > 3 * 3500


def test_a_queue_whose_totals_are_missing_keeps_its_limit() -> None:
    """After a failover totals are left out until a worker has called; that does not lose the history."""
    memory, minute = Memory(), 60.0
    known = snapshot(queues=(queue("chat"),), totals=(totals("chat", attempts(answer={1.0: 900})),))
    away = snapshot(queues=(queue("chat"), queue("new")))
    for now, read in enumerate((known, away)):
        sample(read, memory, Settings(), now * minute)
        found = published(read, memory=memory, now=now * minute)["queue_job_duration_limit_seconds"]
        assert found["chat",] == LEAST
    assert found["new",] == UNKNOWN


def test_a_bug_in_the_history_hides_no_limit() -> None:
    """Limits that are set do not depend on the totals."""
    memory, settings = Memory(), Settings(limits=Limits(QueueLimits(job_duration_seconds=5.0)))
    nothing: Any = None  # as a bug of ours would
    broken = snapshot(queues=(queue("chat"),), totals=(totals("chat", nothing),))
    sample(broken, memory, settings, 1_000.0)
    found = published(broken, memory=memory, settings=settings)
    assert "job_duration_seconds" not in found
    assert found["queue_job_duration_limit_seconds"] == {("chat",): 5.0}


@given(counts=COUNTS)
def test_almost_all_attempts_stay_below(counts: list[int]) -> None:
    """For any history at least 99 % of the attempts with a known bound end before a third of the limit."""
    usual = usual_duration(counts)
    below = sum(n for n, bound in zip(counts, BUCKETS, strict=False) if bound <= usual * (1 + 1e-9))
    inside = next((n for n, bound in zip(counts, BUCKETS, strict=False) if bound > usual * (1 + 1e-9)), 0)
    assert below + inside + counts[-1] >= 0.99 * sum(counts)
    assert 0 < usual <= BUCKETS[-1]
    assert FACTOR > 1
