"""The reference actors: they do what their message says, and say what they are told wrongly."""

from __future__ import annotations

import time

import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import CurrentMessage
from dramatiq.worker import Worker

from bioagents_demo.reference.actors import FAILURES, LONGEST_JOB, QUEUES, Work, declare, perform
from bioagents_demo.reference.environment import DEFAULT_URL, Environment


def test_work_takes_its_time_by_the_speed() -> None:
    """Ten simulated seconds are 0.1 seconds at a speed of a hundred and 2 at a speed of five."""
    taken = []
    for speed in (100.0, 5.0):
        start = time.monotonic()
        perform(Work(10.0), attempt=0, speed=speed)
        taken.append(time.monotonic() - start)
    assert taken[0] >= 0.1
    assert taken[1] >= 2.0
    assert taken[0] < taken[1]


@pytest.mark.parametrize("failure", FAILURES)
def test_work_fails_as_often_as_it_is_told(failure: str) -> None:
    """The attempts before that number raise, the next one does not."""
    work = Work(0.0, failure=failure, failing_attempts=2)
    for attempt in (0, 1):
        with pytest.raises(FAILURES[failure]):
            perform(work, attempt=attempt, speed=1.0)
    perform(work, attempt=2, speed=1.0)


def test_an_unknown_failure_is_named() -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match=r"unknown failure 'Rain', expected one of ModelOverloaded, .*"):
        perform(Work(0.0, failure="Rain", failing_attempts=1), attempt=0, speed=1.0)


def test_jobs_of_eight_hours_are_within_the_time_limit() -> None:
    """Dramatiq's own limit is ten minutes."""
    actors = declare(StubBroker())
    for actor in (actors.research, actors.write_report):
        assert actor.options["time_limit"] > LONGEST_JOB * 1000


def test_a_retry_ends_well_and_a_hopeless_job_is_dead() -> None:
    """In a real worker: the number of the attempt comes from Dramatiq, ``throws`` ends a job at once."""
    broker = StubBroker()
    broker.add_middleware(CurrentMessage())
    actors = declare(broker, speed=1000.0)
    broker.emit_after("process_boot")
    actors.answer.send(seconds=1.0, memory=1, failure="ModelOverloaded", failing_attempts=2)
    actors.research.send(seconds=1.0, failure="ContextTooLong", failing_attempts=99)
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


def test_the_environment_is_read_back_as_it_was_written() -> None:
    """What ``bioagents worker`` passes on is what the application reads."""
    environment = Environment(redis_url="redis://:p@127.0.0.1:1/2", namespace="n", speed=2.5)
    assert Environment.read({**environment.variables(), "REDIS_URL": "redis://other"}) == environment
    assert Environment.read({}) == Environment()
    assert Environment.read({"REDIS_URL": "redis://other"}).redis_url == "redis://other"
    empty = dict.fromkeys(environment.variables(), "")
    assert Environment.read(empty) == Environment(), "an empty variable counts as not set"
    assert Environment.read({**empty, "REDIS_URL": "redis://other"}).redis_url == "redis://other"
    assert Environment().redis_url == DEFAULT_URL


def test_a_password_is_not_in_what_is_printed() -> None:
    """The URL is left out of the representation."""
    assert "p4ss" not in repr(Environment(redis_url="redis://:p4ss@127.0.0.1:1/2"))


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_wrong_speed_is_named(speed: str) -> None:
    """With its variable."""
    with pytest.raises(ValueError, match=r"^\$BIOAGENTS_SPEED: '.*': expected a positive number"):
        Environment.read({"BIOAGENTS_SPEED": speed})
    assert Environment.read({"BIOAGENTS_SPEED": speed}, speed=2.0).speed == 2.0


@pytest.mark.parametrize("namespace", ["a b", "a*", "a{b"])
def test_a_wrong_namespace_is_named(namespace: str) -> None:
    """With its variable; the exporter takes no such one either."""
    with pytest.raises(ValueError, match=r"^\$BIOAGENTS_REDIS_NAMESPACE: '.*': expected the namespace"):
        Environment.read({"BIOAGENTS_REDIS_NAMESPACE": namespace})
