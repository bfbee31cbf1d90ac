"""The status of a fleet that is written in code, as JSON and as a page; both are golden."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_alerts.thresholds import THRESHOLDS
from bioagents_exporter.derive import Memory, derive
from bioagents_exporter.read.snapshot import Snapshot
from bioagents_exporter.serve import page as page_module
from bioagents_exporter.serve.collector import Collected
from bioagents_exporter.serve.page import page
from bioagents_exporter.serve.status import QueueStatus, RedisStatus, Status, WorkerStatus, status, to_json
from bioagents_exporter.settings import Settings
from support.snapshots import queue, reference_families, reference_fleet, reference_settings, snapshot, worker

GOLDEN = Path(__file__).parent / "golden"


def collected(read: Snapshot, settings: Settings | None = None) -> Collected:
    """What a scrape of this read gives."""
    return Collected(read, tuple(derive(read, Memory(), settings or Settings(), 1_000.0)), b"")


@cache
def reference() -> Status:
    """The reference fleet after a minute, with a warning and an error."""
    made = Collected(reference_fleet(), tuple(reference_families()), b"")
    found = status(made, reference_settings(), {"bad_heartbeat": 2, "derive": 0}, ("something to know",))
    return replace(found, version="VERSION")


def test_json_is_golden() -> None:
    """Scripts rely on it: a change is seen in review. `python -m json.tool` formats it."""
    text = json.dumps(json.loads(to_json(reference())), indent=2) + "\n"
    assert text == (GOLDEN / "status.json").read_text()


def test_page_is_golden() -> None:
    """What people see, line by line."""
    text = page(reference()).replace("><", ">\n<") + "\n"
    assert text == (GOLDEN / "page.html").read_text("utf-8")


def test_what_is_out_of_its_limits_is_marked() -> None:
    """By a sign, not by colour alone."""
    read = snapshot(
        queues=(queue("chat", waiting=51, messages=51), queue("calm")),
        workers=(worker("w", queues=("calm",)),),
    )
    found = page(status(collected(read), Settings(), {}))
    assert '<td data-name="Waiting" class=bad>51</td>' in found
    assert '<td data-name="Workers" class=bad>0</td>' in found
    assert '<td data-name="Waiting">0</td>' in found
    assert '<td data-name="Workers">1</td>' in found


@given(
    jobs=st.tuples(st.integers(0, 4), st.floats(0, 300)) | st.tuples(st.integers(0, 50), st.floats(0, 60)),
    drain=st.sampled_from([None, 0.0, 599.0, 601.0, math.inf]),
    running=st.integers(0, 4),
)
def test_a_healthy_queue_is_not_marked(jobs: tuple[int, float], drain: float | None, running: int) -> None:
    """A few jobs, or fresh ones, are no backlog, whatever the rates of the last minutes make of them."""
    waiting, age = jobs
    one = chat(
        waiting=waiting, oldest_job_age_seconds=age, drain_seconds=drain, running_jobs=running, slots=4
    )
    assert "bad" not in _tables(page(replace(reference(), queues=(one,), workers_missing=0)))


@pytest.mark.parametrize(
    ("per_second", "ratio", "marked"),
    [
        (1 / 300, 1.0, False),  # one of one
        (6 / 300, 1.0, False),  # one job that fails alone, with the retries of Dramatiq's defaults
        (10 / 300, 1.0, True),
        (2 / 300, 0.2, True),
        (0.5, 0.05, False),
        (0.0, 0.0, False),
    ],
)
def test_failures_are_marked_from_ten_attempts_on(per_second: float, ratio: float, marked: bool) -> None:  # noqa: FBT001 - of the table
    """In five minutes, as HighJobFailureRatio has it: one failed attempt of one proves nothing."""
    one = chat(failures_per_second=per_second, failure_ratio=ratio, failure_ratio_limit=0.1)
    text = _tables(page(replace(reference(), queues=(one,), workers_missing=0)))
    assert ('<td data-name="Failures" class=bad>' in text) == marked


def test_a_queue_that_is_out_of_service_is_not_marked() -> None:
    """Redis remembers each queue that ever was; workers are missing where jobs are, or some workers."""
    idle = dict.fromkeys(("workers", "draining_workers", "waiting", "active", "delayed", "slots"), 0)
    assert "bad" not in _queue(idle)
    for state in ("draining_workers", "waiting", "active", "delayed"):
        assert '<td data-name="Workers" class=bad>0' in _queue(idle | {state: 1}), state
    assert '<td data-name="Workers" class=bad>1' in _queue(idle | {"workers": 1, "min_workers": 2})


def _queue(numbers: Mapping[str, float]) -> str:
    return _tables(page(replace(reference(), queues=(chat(**numbers),), workers_missing=0)))


def test_a_backlog_that_does_not_shrink_is_marked() -> None:
    """More jobs than slots, for more than a minute; also where their age is not known."""
    for age in (61.0, None):
        one = chat(waiting=12, oldest_job_age_seconds=age, drain_seconds=math.inf, slots=4)
        text = page(replace(reference(), queues=(one,)))
        assert '<td data-name="Time to drain" class=bad>∞</td>' in text


def chat(**numbers: float | Mapping[str, float] | None) -> QueueStatus:
    """A queue without problems, with these numbers."""
    problems = ("dead", "orphaned_jobs", "stuck_jobs", "unheld_jobs", "overdue_delayed_jobs")
    return replace(reference().queues[0], **{**dict.fromkeys(problems, 0), **numbers})


def _tables(text: str) -> str:
    return text.partition("<h2>Queues</h2>")[2].partition("<h2>Workers</h2>")[0]


def test_redis_that_is_almost_full_is_marked() -> None:
    """Where RedisMemoryHigh fires; without a limit of its memory Redis is up, whatever it uses."""
    limit = THRESHOLDS["RedisMemoryHigh"].default
    for used, most, marked in ((64, 64, True), (59, 64, True), (57, 64, False), (64, 0, False)):
        redis = replace(reference().redis, memory_used_bytes=used << 20, memory_max_bytes=most << 20)
        text = page(replace(reference(), redis=redis))
        assert ("% of its memory used" in text, '<span class="good">up</span>' in text) == (
            marked,
            not marked,
        )
        assert not most or marked == (used / most > limit)


def test_a_worker_that_is_almost_out_of_memory_is_marked() -> None:
    """By its limit; one without a limit is not."""
    first = reference().workers[0]
    for used, limit, marked in ((95, 100, True), (89, 100, False), (95, None, False)):
        one = replace(first, memory_rss_bytes=used << 20, memory_limit_bytes=limit and limit << 20)
        assert ('data-name="Memory" class=bad' in page(replace(reference(), workers=(one,)))) == marked


def test_recent_starts_are_shown_by_version() -> None:
    """The latest first, for an hour: a new version may be the cause of what is marked."""
    found = chat(started_seconds_ago={"v1": 3_700.0, "v2": 700.0, "<v3>": 65.0})
    assert "chat: last start of workers: version &lt;v3&gt; 1 m 5 s ago, version v2 11 m 40 s ago<" in page(
        replace(reference(), queues=(found,))
    )
    assert "last start" not in page(replace(reference(), queues=(chat(started_seconds_ago={"v1": 3_700.0}),)))


def test_infinity_is_text_in_json() -> None:
    """JSON has no infinity, and null means that it is not known."""
    read = snapshot(queues=(queue("chat", waiting=1, messages=1),))
    found = status(collected(read), Settings(), {})
    assert found.queues[0].load_ratio == math.inf
    (chat,) = json.loads(to_json(found))["queues"]
    assert (chat["load_ratio"], chat["drain_seconds"]) == ("+Inf", None)


def test_without_redis_nothing_is_invented() -> None:
    """No queue, no worker, the reason."""
    found = status(collected(Snapshot(None, 0.0, failure="Redis h:1: refused")), Settings(), {})
    assert (found.redis.up, found.redis.trouble, found.queues, found.workers) == (
        False,
        "Redis h:1: refused",
        (),
        (),
    )
    assert "Redis h:1: refused" in page(found)
    assert found.redis.version is None


def test_names_that_are_no_utf8_are_shown() -> None:
    """As in the exposition: the page and the JSON can be sent."""
    read = snapshot(queues=(queue("ch\udcffat"),))
    found = status(collected(read), Settings(), {})
    assert json.loads(to_json(found))["queues"][0]["name"] == "ch\udcffat"
    assert b"ch\\udcffat" in page(found).encode(errors="backslashreplace")


def test_a_large_fleet_is_cut_on_the_page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The JSON has every worker."""
    monkeypatch.setattr(page_module, "MOST_WORKERS", 2)
    read = snapshot(workers=tuple(worker(f"w{n}") for n in range(5)))
    found = status(collected(read), Settings(), {})
    assert len(found.workers) == 5
    assert "and 3 more in /api/v1/status" in page(found)


def test_a_worker_without_heartbeats_is_missing() -> None:
    """For an hour; its numbers end at once."""
    read = snapshot(workers=(worker("w", age=600.0),))
    found = status(collected(read), Settings(), {})
    assert (found.workers_missing, found.workers[0].alive, found.workers[0].memory_rss_bytes) == (
        1,
        False,
        None,
    )
    assert "1 worker(s) missing" in page(replace(found, queues=reference().queues))


def test_the_documentation_names_every_field() -> None:
    """docs/reference/http-api.md is the schema."""
    text = (Path(__file__).parents[2] / "docs" / "reference" / "http-api.md").read_text("utf-8")
    names = {
        field.name for kind in (Status, RedisStatus, QueueStatus, WorkerStatus) for field in fields(kind)
    }
    assert not [name for name in sorted(names) if f"`{name}`" not in text]
