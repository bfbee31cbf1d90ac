"""The window and the signals that are calculated from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.derive import Memory, sample
from bioagents_exporter.read.snapshot import Snapshot, Store
from bioagents_exporter.settings import Limits, QueueLimits, Settings
from support.snapshots import RUN_ID, Series, published, queue, snapshot, totals, worker

SIGNALS = ("queue_failure_ratio", "queue_failures_per_second", "queue_drain_seconds")


def read(*, waiting: int | None = 0, epoch: int = 1_000, **fields: int) -> Snapshot:
    """One queue with totals of one actor, or without any."""
    named = {f"{name}|a|E" if name == "failures" else f"{name}|a": n for name, n in fields.items()}
    hashes = (totals("chat", named, epoch=epoch),) if named else ()
    return snapshot(
        queues=(queue("chat", waiting=waiting),), totals=hashes, stores=(Store(1, epoch, RUN_ID),)
    )


def signals(samples: Sequence[tuple[float, Snapshot]]) -> dict[str, Series]:
    """What a scrape right after the last sample shows."""
    memory = Memory()
    for now, found in samples:
        sample(found, memory, Settings(), now)
    now, found = samples[-1]
    return published(found, memory=memory, now=now)


def one(samples: Sequence[tuple[float, Snapshot]], name: str) -> float | None:
    """One signal of the queue."""
    return signals(samples)[name].get(("chat",))


def test_nothing_is_known_before_two_samples_are_a_minute_apart() -> None:
    """Neither zeros nor a rate over a few seconds."""
    early = signals([(t, read(processed=t, failures=t, enqueued=t)) for t in range(0, 60, 5)])
    assert not any(early[name] for name in SIGNALS)
    late = signals([(t, read(processed=t, failures=t, enqueued=t)) for t in range(0, 65, 5)])
    assert all(late[name] for name in SIGNALS)


def test_failure_ratio_and_rate() -> None:
    """Over the window alone: what happened before its first sample does not count."""
    samples = [(t, read(processed=1_000 + 4 * t, failures=500 + t)) for t in range(0, 105, 5)]
    found = signals(samples)
    assert found["queue_failure_ratio"] == {("chat",): 0.25}
    assert found["queue_failures_per_second"] == {("chat",): 1.0}


def test_the_window_forgets_what_is_older_than_five_minutes() -> None:
    """A burst of failures ends with it."""
    samples = [(0.0, read(processed=1, failures=0)), (5.0, read(processed=100, failures=99))]
    samples += [(t, read(processed=100 + t, failures=99)) for t in range(10, 310, 5)]
    assert one(samples, "queue_failure_ratio") == 0


def test_without_attempts_there_is_no_ratio() -> None:
    """Neither 0 nor NaN."""
    found = signals([(t, read(processed=7, failures=3)) for t in range(0, 65, 5)])
    assert found["queue_failure_ratio"] == {}
    assert found["queue_failures_per_second"] == {("chat",): 0}


def test_without_totals_there_is_no_failure_rate() -> None:
    """An application without the middleware."""
    found = signals([(t, read()) for t in range(0, 65, 5)])
    assert found["queue_failures_per_second"] == {}


def test_drain_time_from_completions_and_arrivals() -> None:
    """A job that ended permanently has left the backlog; one that will be retried has not."""
    seconds = {"succeeded": 20, "dead": 20, "skipped": 20, "retries": math.inf}
    found = {}
    for ended in seconds:
        samples = [(t, read(waiting=40, enqueued=3 * t, **{ended: 5 * t})) for t in range(0, 65, 5)]
        found[ended] = one(samples, "queue_drain_seconds")
    assert found == seconds


def test_drain_time_without_counted_arrivals_goes_by_the_list() -> None:
    """Producers without the middleware: all that is known is by how much the list became shorter."""
    samples = [(t, read(waiting=200 - t, processed=t, succeeded=t)) for t in range(0, 105, 5)]
    assert one(samples, "queue_drain_seconds") == 100


def test_drain_time_of_a_backlog_that_does_not_shrink() -> None:
    """0 without backlog, +Inf where it stays, absent where it is not known."""
    seconds = {0: 0, 1: math.inf, None: None}
    samples = {waiting: [(t, read(waiting=waiting)) for t in range(0, 65, 5)] for waiting in seconds}
    assert {waiting: one(samples[waiting], "queue_drain_seconds") for waiting in seconds} == seconds


def test_a_reset_in_between_shows_neither_a_negative_nor_a_huge_rate() -> None:
    """Redis restarted: totals of different epochs are not differenced, nor are the seconds between them."""
    samples = [(t, read(processed=1_000_000 + 2 * t, failures=t)) for t in range(0, 105, 5)]
    samples += [(t, read(processed=2 * t, failures=t, epoch=2_000)) for t in range(105, 155, 5)]
    found = signals(samples)
    assert found["queue_failure_ratio"] == {("chat",): 0.5}
    assert found["queue_failures_per_second"] == {("chat",): 1.0}


def test_totals_that_are_left_out_for_a_while_do_not_dilute_the_rate() -> None:
    """Their seconds are not observed."""
    left_out = snapshot(queues=(queue("chat"),), stores=())
    samples = [(float(t), read(processed=t, failures=t)) for t in range(0, 70, 5)]
    samples += [(float(t), left_out) for t in range(70, 100, 5)]
    samples += [(float(t), read(processed=t, failures=t)) for t in range(100, 130, 5)]
    assert one(samples, "queue_failures_per_second") == 1.0


def test_an_outage_of_redis_leaves_a_gap_not_a_hole() -> None:
    """What was counted meanwhile belongs to the time meanwhile."""
    samples = [(t, read(processed=t, failures=t)) for t in [*range(0, 60, 5), *range(120, 140, 5)]]
    assert one(samples, "queue_failures_per_second") == 1.0


def test_a_window_that_is_no_longer_filled_gives_no_signals() -> None:
    """A sampler that hangs, or a Redis that has just come back."""
    memory, found = Memory(), read(processed=1)
    for t in range(0, 65, 5):
        sample(found, memory, Settings(), t)
    assert published(found, memory=memory, now=121.0)["queue_failures_per_second"] == {}


def test_two_copies_with_the_same_samples_say_the_same() -> None:
    """However often they were scraped in between."""
    samples = [(t, read(waiting=9, processed=3 * t, failures=t, enqueued=t)) for t in range(0, 95, 5)]
    scraped = Memory()
    for now, found in samples:
        sample(found, scraped, Settings(), now)
        published(found, memory=scraped, now=now)
    now, found = samples[-1]
    both = published(found, memory=scraped, now=now), signals(samples)
    assert [both[0][name] for name in SIGNALS] == [both[1][name] for name in SIGNALS]


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([1, 1, 1, 2, 3])), min_size=20, max_size=90))
def test_whatever_happens_signals_are_possible_numbers(steps: list[tuple[int, int]]) -> None:
    """Totals that grow, epochs that go back and forth."""
    counted = dict.fromkeys((1, 2, 3), 0)
    samples = []
    for i, (n, epoch) in enumerate(steps):
        counted[epoch] += n
        samples.append(
            (5.0 * i, read(waiting=n, epoch=epoch, processed=counted[epoch], failures=counted[epoch]))
        )
    found = signals(samples)
    assert found["queue_failure_ratio"].get(("chat",), 1) == 1
    assert 0 <= found["queue_failures_per_second"].get(("chat",), 0) <= 10
    assert found["queue_drain_seconds"].get(("chat",), 0) >= 0


def test_load_ratio() -> None:
    """Jobs for each slot, +Inf when jobs wait and there are no slots; it needs no window."""
    ratios = {(6, 2, 4): 2.0, (0, 0, 4): 0.0, (1, 0, 0): math.inf, (0, 0, 0): 0.0, (None, 1, 4): None}
    assert {case: load_ratio(*case) for case in ratios} == ratios


def load_ratio(waiting: int | None, running: int, slots: int) -> float | None:
    """The ratio of a queue with one worker."""
    workers = (worker("w", threads=slots, running={"chat": running}),)
    found = published(snapshot(queues=(queue("chat", waiting=waiting),), workers=workers))
    return found["queue_load_ratio"].get(("chat",))


def test_desired_workers() -> None:
    """The steps of the scaling signal."""
    workers = {0: 2, 9: 2, 10: 4, 29: 4, 30: 6, 49: 6, 50: 8, 9_999: 8, None: None}
    assert {waiting: desired_workers(waiting, Settings()) for waiting in workers} == workers


def test_desired_workers_stay_within_the_queues_limits() -> None:
    """Of that queue."""
    settings = Settings(limits=Limits(queues={"chat": QueueLimits(min_workers=3, max_workers=5)}))
    workers = {0: 3, 10: 4, 500: 5}
    assert {waiting: desired_workers(waiting, settings) for waiting in workers} == workers


def desired_workers(waiting: int | None, settings: Settings) -> float | None:
    """The signal of a queue with the given number of waiting jobs."""
    return published(read(waiting=waiting), settings=settings)["queue_desired_workers"].get(("chat",))


def test_a_queue_that_is_gone_is_forgotten() -> None:
    """The window does not grow with queues of the past."""
    memory = Memory()
    sample(read(), memory, Settings(), 0.0)
    sample(snapshot(), memory, Settings(), 301.0)
    assert memory.window._tracks == {}
