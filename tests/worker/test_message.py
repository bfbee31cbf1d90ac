"""The fields of a message, as a worker and the exporter read them: any JSON value may be in each."""

from __future__ import annotations

import json
import math
import time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioagents_exporter.read.heads import ready_of
from bioagents_exporter.read.heartbeats import HeartbeatDecoder
from bioagents_worker import JobMetrics
from bioagents_worker._events import DEAD, ENQUEUED, RETRY, Recorder, ThreadLocal
from bioagents_worker._heartbeat import Heartbeat
from bioagents_worker._tally import Tally
from bioagents_worker.wire import due_time, milliseconds, ready_when_due, ready_when_enqueued, text

NOW = 1_764_000_000_000  # Unix time in ms

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)
#: Mostly times, in ms and in other units, and numbers that no float can hold.
TIMES = st.one_of(
    JSON,
    st.integers(NOW - 10**9, NOW + 10**9),
    st.floats(NOW - 10**9, NOW + 10**9),
    st.sampled_from([10**400, -(10**400), math.inf, NOW / 1000, NOW * 1000, str(NOW), 0, True]),
)


@pytest.mark.parametrize("value", [NOW, float(NOW), NOW + 0.5, 10**12])
def test_integers_and_floats_are_times(value: float) -> None:
    """As they are: whole milliseconds stay integers."""
    assert milliseconds(value) == value
    assert type(milliseconds(value)) is type(value)


@pytest.mark.parametrize("value", [10**15, 10**400, math.inf, 1e300])
def test_a_time_that_never_comes(value: float) -> None:
    """Dramatiq takes any number: it delays such a job without end."""
    assert milliseconds(value) == 10**15


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        math.nan,
        -math.inf,
        -NOW,
        0,
        5,
        NOW // 1000,
        str(NOW),
        "soon",
        [NOW],
        {},
        Decimal(NOW),
    ],
)
def test_no_time(value: object) -> None:
    """Nothing that Dramatiq does not calculate with, and no number that was not meant to be in ms."""
    assert milliseconds(value) is None


@pytest.mark.parametrize("eta", [1, -5, 0, 2.5, math.nan, -math.inf, NOW // 1000])
def test_an_eta_that_is_no_time_is_due(eta: float) -> None:
    """Dramatiq compares any number with the clock."""
    assert due_time(eta) == 0
    assert ready_when_enqueued({"eta": eta}, NOW) == NOW


def started(fields: dict[str, Any]) -> tuple[Tally, int]:
    """A tally after an attempt of a message with these fields began; when it began, in Unix µs."""
    recorder, tally, metrics = Recorder(), Tally({"act"}), JobMetrics()
    metrics._local = ThreadLocal(recorder)
    message: Any = SimpleNamespace(_message=SimpleNamespace(**fields))
    metrics.before_process_message(SimpleNamespace(), message)  # type: ignore[arg-type] - it is not used
    offset = time.time_ns() - time.monotonic_ns()
    ((log, events, ended),) = list(recorder.drain())
    ((_, began_ns, *_),) = events
    assert isinstance(began_ns, int)
    tally.add(log, events, ended=ended, wall_minus_monotonic_ns=offset)
    return tally, (began_ns + offset) // 1000


#: Whose stamp a message has: its own, that of another, or one of an older version that does not say.
OF = st.sampled_from([{"bioagents_of": "id"}, {"bioagents_of": "another"}, {}])


@given(TIMES, OF, TIMES, TIMES)
def test_worker_and_exporter_agree_about_the_wait(
    stamp: object, of: dict[str, str], requeued: object, sent: object
) -> None:
    """From the same message, whatever it holds; where the exporter knows no time, the wait is 0."""
    options = {"bioagents_ready": stamp, "requeue_timestamp": requeued, **of}
    message = {"queue_name": "q", "actor_name": "act", "args": [], "kwargs": {}, "options": options}
    message |= {"message_id": "id", "message_timestamp": sent}
    decoded = json.loads(json.dumps(message))
    tally, began_us = started(decoded)
    wait_us, exporters = tally.take()["q"]["wait_us|act"], ready_of(decoded)
    expected = 0 if exporters is None else max(0, began_us - exporters.time * 1e6)
    assert wait_us == pytest.approx(expected, abs=2)


@given(TIMES, OF, TIMES, TIMES)
def test_worker_and_exporter_agree_about_a_delayed_job(
    stamp: object, of: dict[str, str], eta: object, sent: object
) -> None:
    """A worker that fetches it stamps it with the time before which the exporter shows no age."""
    options = {"bioagents_ready": stamp, "eta": eta, **of}
    message = {"options": options, "message_id": "id", "message_timestamp": sent}
    decoded = json.loads(json.dumps(message))
    ready_ms = ready_when_due(decoded["options"], "id", decoded["message_timestamp"])
    exporters = ready_of(decoded)
    if ready_ms is None or exporters is None:
        assert ready_ms is None
        assert exporters is None
    elif exporters.due is not None:
        assert max(exporters.time, exporters.due) <= ready_ms / 1000
        assert exporters.due == pytest.approx((milliseconds(eta) or 0) / 1000)


@given(TIMES)
def test_a_job_is_never_ready_before_it_is_enqueued(eta: object) -> None:
    """With an ``eta`` in the past it is ready at once; otherwise at its ``eta``, as far away as that is."""
    ready_ms = ready_when_enqueued({"eta": eta}, NOW)
    assert NOW <= ready_ms <= 10**15
    if isinstance(eta, (int, float)) and NOW < eta <= 10**15:
        assert ready_ms == eta


ANY_NAME = st.one_of(JSON, st.sampled_from(["act", "q", "q.DQ", "\ud800"]))


@given(ANY_NAME, ANY_NAME, ANY_NAME)
def test_no_name_in_a_message_stops_the_counting(queue: object, actor: object, id_: object) -> None:
    """Every event is counted, every count has a name in UTF-8, and the exporter can read the heartbeat."""
    message = {"queue_name": queue, "actor_name": actor, "message_id": id_, "message_timestamp": NOW}
    tally, _ = started({**message, "options": {"redis_message_id": id_}})
    recorder = Recorder()
    local = ThreadLocal(recorder)
    for event in ((ENQUEUED, queue, actor), (RETRY, queue, actor), (DEAD, queue, actor)):
        local.append(event)
    for log, events, ended in recorder.drain():
        tally.add(log, events, ended=ended, wall_minus_monotonic_ns=0)
    counts = tally.take()
    (counted,) = counts.values()  # all in one queue
    assert {name.partition("|")[0] for name in counted} >= {"enqueued", "retries", "dead", "wait_us"}
    assert "".join([*counts, *counted]).encode()
    errors: Any = SimpleNamespace()
    beat = heartbeat(tally).encode()
    (decoded,) = HeartbeatDecoder().decode([b"w1"], [b"1764000000000000\n" + beat], errors)
    (job,) = decoded.state.oldest
    assert job.redis_message_id == text(id_)


def heartbeat(tally: Tally) -> str:
    """The heartbeat of a worker without consumers."""
    broker = SimpleNamespace(broker_id="broker")
    worker = SimpleNamespace(
        workers=[],
        consumers={},
        work_queue=SimpleNamespace(queue=[]),
        worker_threads=2,
    )
    return Heartbeat(broker, worker, tally, version="").encode(interval=5, skew=0, flush_age=0).text
