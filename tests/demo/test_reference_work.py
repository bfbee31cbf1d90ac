"""The reference workers: the work of their jobs, and their settings."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import CurrentMessage
from dramatiq.worker import Worker

from bioagents_demo.reference import actors
from bioagents_demo.reference.actors import FAILURES, LONGEST_JOB, QUEUES, Work, declare, perform
from bioagents_demo.reference.environment import DEFAULT_URL, Environment


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The lengths of all sleeps, in which no real time passes."""
    lengths: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(lengths), sleep=lengths.append)
    monkeypatch.setattr(actors, "time", clock)
    return lengths


def test_work_takes_its_time_by_the_speed(slept: list[float]) -> None:
    """Simulated seconds are divided by the speed; a failing attempt takes half; sleeps are short."""
    perform(Work(100.0), attempt=0, speed=10.0)
    assert sum(slept) == pytest.approx(10)
    assert max(slept) <= actors.SLICE
    slept.clear()
    with pytest.raises(actors.ToolTimeout):
        perform(Work(100.0, failure="ToolTimeout", failing_attempts=1), attempt=0, speed=10.0)
    assert sum(slept) == pytest.approx(5)


def test_work_fails_as_often_as_its_message_says() -> None:
    """So many attempts raise the named exception, the next one does not."""
    for failure, kind in FAILURES.items():
        work = Work(0.0, failure=failure, failing_attempts=2)
        for attempt in (0, 1):
            with pytest.raises(kind):
                perform(work, attempt=attempt, speed=1.0)
        perform(work, attempt=2, speed=1.0)


def test_unknown_failure_is_an_error() -> None:
    """It names the failure and the known ones."""
    with pytest.raises(ValueError, match=r"unknown failure 'Rain', expected one of ModelOverloaded, .*"):
        perform(Work(0.0, failure="Rain", failing_attempts=1), attempt=0, speed=1.0)


def test_jobs_of_eight_hours_are_within_the_time_limit() -> None:
    """Dramatiq's default limit is ten minutes."""
    declared = declare(StubBroker())
    for actor in (declared.research, declared.write_report):
        assert actor.options["time_limit"] > LONGEST_JOB * 1000


def test_retried_job_succeeds_and_job_that_throws_is_dead() -> None:
    """In a real worker: the attempt number comes from Dramatiq, and ``throws`` ends a job at once."""
    broker = StubBroker()
    broker.add_middleware(CurrentMessage())
    declared = declare(broker, speed=1000.0)
    broker.emit_after("process_boot")
    declared.answer.send(seconds=1.0, memory=1, failure="ModelOverloaded", failing_attempts=2)
    declared.research.send(seconds=1.0, failure="ContextTooLong", failing_attempts=99)
    worker = Worker(broker, worker_timeout=50, worker_threads=2)
    worker.start()
    try:
        for queue in QUEUES:
            broker.join(queue, timeout=20_000, fail_fast=False)
        worker.join()
    finally:
        worker.stop()
    dead = [message.actor_name for message in broker.dead_letters]
    assert dead == ["research"]


def test_environment_is_read_as_it_was_written() -> None:
    """The application reads what ``bioagents worker`` has set; an empty variable is not set."""
    environment = Environment(redis_url="redis://:p@127.0.0.1:1/2", namespace="n", speed=2.5)
    assert Environment.read({**environment.variables(), "REDIS_URL": "redis://other"}) == environment
    assert Environment.read({}) == Environment()
    assert Environment.read({"REDIS_URL": "redis://other"}).redis_url == "redis://other"
    empty = dict.fromkeys(environment.variables(), "")
    assert Environment.read(empty) == Environment()
    assert Environment.read({**empty, "REDIS_URL": "redis://other"}).redis_url == "redis://other"
    assert Environment().redis_url == DEFAULT_URL


def test_password_is_not_printed() -> None:
    """The URL is left out of the representation."""
    assert "p4ss" not in repr(Environment(redis_url="redis://:p4ss@127.0.0.1:1/2"))


def test_wrong_speed_is_an_error() -> None:
    """It names variable and value; a given speed is used instead of the variable."""
    for speed in ("0", "-1", "nan", "inf", "fast"):
        with pytest.raises(ValueError, match=rf"^\$BIOAGENTS_SPEED: '{speed}': expected a positive number"):
            Environment.read({"BIOAGENTS_SPEED": speed})
        assert Environment.read({"BIOAGENTS_SPEED": speed}, speed=2.0).speed == 2.0


def test_wrong_namespace_is_an_error() -> None:
    """It names variable and value."""
    with pytest.raises(ValueError, match=r"^\$BIOAGENTS_REDIS_NAMESPACE: 'a b': expected the namespace"):
        Environment.read({"BIOAGENTS_REDIS_NAMESPACE": "a b"})
