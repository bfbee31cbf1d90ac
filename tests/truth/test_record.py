"""The helpers of these tests, checked with a short record that is written in code."""

from __future__ import annotations

from pathlib import Path

import pytest
from record import expected
from times import violations

# A job with a delay of 2 s that fails once after 0.3 s, is retried 1 s later, and then runs for 0.2 s.
RECORD = """\
100.000000 intent chat flaky m1,2000 1/1
100.001000 offer chat flaky m1,2000 1/1
100.002000 enqueue chat flaky m1 1/1
102.010000 intent chat flaky m1,None 2/8
102.011000 offer chat flaky m1,None 2/8
102.012000 hop chat flaky m1 2/8
102.400000 open chat flaky m1 2/2
102.401000 taken chat flaky  2/2
102.410000 start chat flaky  2/2
102.710000 raise chat flaky ConnectionResetError 2/2
102.711000 intent chat flaky m1,1000 2/2
102.712000 offer chat flaky m1,1000 2/2
102.713000 retry chat flaky m1 2/2
102.720000 close chat flaky  2/2
103.800000 open chat flaky m1 2/3
103.801000 taken chat flaky  2/3
103.810000 start chat flaky  2/3
104.010000 end chat flaky  2/3
104.020000 close chat flaky  2/3
"""
LABELS = 'fleet="f",queue="chat",actor="flaky"'


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The record as a file."""
    path = tmp_path / "record.txt"
    path.write_text(RECORD)
    return path


def histogram(name: str, buckets: dict[str, int], total: float) -> str:
    """One histogram of an exposition."""
    lines = [f"# TYPE bioagents_{name} histogram"]
    lines += [f'bioagents_{name}_bucket{{{LABELS},le="{le}"}} {n}' for le, n in buckets.items()]
    lines += [f"bioagents_{name}_sum{{{LABELS}}} {total}", f"bioagents_{name}_count{{{LABELS}}} 2"]
    return "\n".join(lines) + "\n"


def test_expected_counts(record: Path) -> None:
    """One job, two attempts, one failure, one retry."""
    counts = {(metric, exception): n for (metric, _, _, exception), n in expected(record).items()}
    assert counts == {
        ("jobs_enqueued_total", ""): 1,
        ("jobs_processed_total", ""): 2,
        ("jobs_succeeded_total", ""): 1,
        ("job_failures_total", "ConnectionResetError"): 1,
        ("job_retries_total", ""): 1,
        ("job_duration_seconds_count", ""): 2,
        ("job_wait_seconds_count", ""): 2,
    }


@pytest.mark.parametrize(
    ("buckets", "total", "wrong"),
    [
        ({"0.25": 1, "0.5": 2, "+Inf": 2}, 0.51, 0),
        ({"0.25": 1, "0.5": 2, "+Inf": 2}, 0.49, 1),  # less than the actor itself took
        ({"0.25": 1, "0.5": 2, "+Inf": 2}, 0.56, 1),  # more than all middleware took
        ({"0.25": 2, "0.5": 2, "+Inf": 2}, 0.51, 1),  # one lasted 0.3 s
        ({"0.25": 0, "0.5": 2, "+Inf": 2}, 0.51, 1),  # one lasted 0.22 s at most
    ],
)
def test_durations_that_cannot_be(record: Path, buckets: dict[str, int], total: float, wrong: int) -> None:
    """0.3 to 0.32 s and 0.2 to 0.22 s."""
    assert len(violations(record, histogram("job_duration_seconds", buckets, total))) == wrong


@pytest.mark.parametrize(("total", "wrong"), [(0.49, 0), (0.48, 1), (0.51, 1), (0.9, 1), (2.49, 1)])
def test_waits_that_cannot_be(record: Path, total: float, wrong: int) -> None:
    """From the end of the delay, 102.000, to 102.401 at most; from the retry's time, 103.711, to 103.801."""
    buckets = {"0.1": 1, "0.5": 2, "+Inf": 2}
    assert len(violations(record, histogram("job_wait_seconds", buckets, total))) == wrong
