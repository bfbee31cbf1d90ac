"""From the fields of totals hashes to counters and histograms."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.derive import Family, Memory, derive
from bioagents_exporter.read.snapshot import Store
from bioagents_exporter.settings import Settings
from bioagents_worker.wire import BUCKETS, parse_actor_field
from support.snapshots import RUN_ID, published, snapshot, totals

COUNTERS = (
    "jobs_enqueued_total", "jobs_processed_total", "jobs_succeeded_total", "job_retries_total",
    "jobs_dead_total", "jobs_skipped_total", "jobs_redelivered_total",
)  # fmt: skip
NAMES = st.text(min_size=1, max_size=6).filter(lambda name: not name.startswith("__"))


def histogram(fields: dict[str, int], name: str = "job_duration_seconds") -> Family:
    """The one histogram of a queue with these fields."""
    read = snapshot(totals=(totals("chat", fields),))
    (family,) = (f for f in derive(read, Memory(), Settings(), 1.0) if f.metric.name == name)
    return family


def test_every_series_of_a_known_actor_exists_at_zero() -> None:
    """From the moment a worker boots, so that rate() sees the first failure."""
    found = published(snapshot(totals=(totals("chat", {"processed|answer": 0}),)))
    for name in COUNTERS:
        assert found[name] == {("chat", "answer"): 0}
    assert found["job_failures_total"] == {("chat", "answer", "(other)"): 0}
    assert found["job_wait_seconds"] == found["job_duration_seconds"] == {("chat", "answer"): 0}


def test_any_field_makes_its_actor_known() -> None:
    """A producer that crashed before it declared the actor, a hash that lost a field."""
    for field in ("dead|answer", "failures|answer|ValueError", "wait|answer|3", "wait_us|answer"):
        found = published(snapshot(totals=(totals("chat", {field: 1}),)))
        assert ("chat", "answer") in found["jobs_processed_total"], field


def test_counters_show_their_own_field() -> None:
    """Each with a number of its own."""
    counters = ("enqueued", "processed", "succeeded", "retries", "dead", "skipped", "redelivered")
    fields = {f"{counter}|answer": i for i, counter in enumerate(counters, 1)}
    found = published(snapshot(totals=(totals("chat", fields),)))
    assert [found[name]["chat", "answer"] for name in COUNTERS] == [1, 2, 3, 4, 5, 6, 7]


def test_a_histogram_is_complete_cumulative_and_exact() -> None:
    """Every bucket exists; the sum is the integer sum of microseconds; the count is the last bucket."""
    family = histogram(
        {"duration|answer|0": 2, "duration|answer|21": 3, "duration_us|answer": 90_000_000_000_001}
    )
    assert family.keys == [("chat", "answer")]
    assert family.values == [*([2] * len(BUCKETS)), 5, 90_000_000.000001, 5]


@given(st.dictionaries(st.integers(0, len(BUCKETS)), st.integers(0, 2**40)))
def test_a_histogram_never_falls_from_bucket_to_bucket(buckets: dict[int, int]) -> None:
    """Whatever fields there are."""
    family = histogram(
        {"processed|a": 0} | {f"wait|a|{i}": n for i, n in buckets.items()}, "job_wait_seconds"
    )
    counts, count = family.values[: len(BUCKETS) + 1], family.values[-1]
    assert all(a <= b for a, b in pairwise(counts))
    assert counts[-1] == count == sum(buckets.values())


def test_at_most_thirty_exceptions_of_an_actor_have_a_series() -> None:
    """Each worker keeps to thirty, but not the same thirty; no failure is lost, none moves later."""
    memory = Memory()
    fields = {f"failures|answer|E{i:02}": 1 for i in range(40)} | {"failures|answer|(other)": 5}
    first = published(snapshot(totals=(totals("chat", fields),)), memory=memory)["job_failures_total"]
    assert len(first) == 31
    assert sum(first.values()) == 45
    assert first["chat", "answer", "(other)"] == 15
    fields |= {"failures|answer|A00": 2}
    later = published(snapshot(totals=(totals("chat", fields),)), memory=memory)["job_failures_total"]
    assert later == first | {("chat", "answer", "(other)"): 17}


def test_actors_of_one_name_in_two_queues_are_apart() -> None:
    """As are two actors of one queue."""
    read = snapshot(totals=(totals("a", {"dead|x": 1, "dead|y": 2}), totals("b", {"dead|x": 3})))
    assert published(read)["jobs_dead_total"] == {("a", "x"): 1, ("a", "y"): 2, ("b", "x"): 3}


def test_totals_of_the_previous_wire_version_have_a_label_more() -> None:
    """They are never added to the current ones: two hashes that are reset at different times."""
    read = snapshot(
        stores=(Store(1, 1_000, RUN_ID), Store(0, 5, RUN_ID)),
        totals=(
            totals("chat", {"dead|a": 1, "failures|a|E": 1}),
            totals("chat", {"dead|a": 2, "failures|a|E": 2}, epoch=5, wire=0),
            totals("", {"boots|h": 3, "errors|cpu": 2}),
            totals("", {"boots|h": 4, "dropped|": 6, "errors|": 1}, epoch=5, wire=0),
        ),
    )
    found = published(read)
    assert found["jobs_dead_total"] == {("chat", "a"): 1, ("chat", "a", "0"): 2}
    assert found["job_failures_total"]["chat", "a", "E", "0"] == 2
    assert found["worker_boots_total"] == {("h",): 3, ("h", "0"): 4}
    assert found["metrics_dropped_total"] == {(): 0, ("0",): 6}
    errors = found["middleware_errors_total"]
    assert {key: n for key, n in errors.items() if n} == {("cpu",): 2, ("(other)", "0"): 1}


def test_without_the_middleware_there_is_no_total() -> None:
    """A zero that was not counted would be wrong."""
    found = published(snapshot(stores=()))
    assert not any(found.get(name) for name in (*COUNTERS, "metrics_dropped_total", "worker_boots_total"))


@given(st.dictionaries(NAMES, st.integers(-5, 2**70), max_size=5))
def test_fields_that_are_not_of_the_wire_format_are_ignored(fields: dict[str, int]) -> None:
    """Anything may be in the hash; the known fields next to it stay right."""
    fields = {name: n for name, n in fields.items() if parse_actor_field(name) is None} | {"dead|answer": 3}
    assert published(snapshot(totals=(totals("chat", fields),)))["jobs_dead_total"] == {("chat", "answer"): 3}
