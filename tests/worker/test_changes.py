"""What changes after a process has started: queues that are declared late, Workers that start and stop."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from bioagents_exporter.read.reader import Reader
from bioagents_exporter.settings import Secret, Settings
from bioagents_worker import JobMetrics
from bioagents_worker import _middleware as middleware
from bioagents_worker.wire import Keys
from support.polling import wait_until
from support.redis_server import RedisServer
from support.snapshots import Series, published

Look = Callable[[], dict[str, Series]]
Start = Callable[..., dramatiq.Worker]


class Jobs:
    """Actors whose jobs run until they may end."""

    def __init__(self, broker: RedisBroker) -> None:
        self.broker = broker
        self.may_end = threading.Event()

    def send(self, queue: str, n: int) -> None:
        """Jobs of an actor that has the name of its queue, and is declared with the first of them."""
        if queue not in self.broker.actors:
            self.declare(queue, queue)
        for _ in range(n):
            self.broker.get_actor(queue).send()

    def declare(self, name: str, queue: str) -> None:
        """An actor of this name."""
        dramatiq.actor(broker=self.broker, actor_name=name, queue_name=queue)(self._run)

    def _run(self) -> None:
        assert self.may_end.wait(30)


@pytest.fixture
def jobs(broker: RedisBroker) -> Jobs:
    broker.add_middleware(JobMetrics())
    return Jobs(broker)


@pytest.fixture
def look(redis_server: RedisServer) -> Iterator[Look]:
    """What the exporter publishes after a step of its audit."""
    reader = Reader(Settings(redis_url=Secret(redis_server.url)))

    def look() -> dict[str, Series]:
        reader.read()
        reader.audit()
        return published(reader.read())

    yield look
    reader.close()


@pytest.fixture
def start(jobs: Jobs) -> Iterator[Start]:
    """``start(*queues)``: a Worker with two threads; all are stopped at the end."""
    workers: list[dramatiq.Worker] = []

    def start(*queues: str) -> dramatiq.Worker:
        worker = dramatiq.Worker(jobs.broker, queues=set(queues), worker_timeout=50, worker_threads=2)
        workers.append(worker)
        worker.start()
        return worker

    yield start
    jobs.may_end.set()
    for worker in workers:
        worker.stop(timeout=2_000)


def shows(look: Look, *, timeout: float = 15, **expected: Any) -> dict[str, Series]:  # noqa: ANN401 - any number
    """Wait for ``<metric>__<queue>[__<actor>]=value``."""
    seen: dict[str, Series] = {}

    def agree() -> bool:
        seen.update(look())
        return all(value_of(seen, key) == value for key, value in expected.items())

    try:
        wait_until(agree, timeout=timeout)
    except AssertionError as error:
        raise AssertionError({key: value_of(seen, key) for key in expected}) from error
    return seen


def value_of(seen: dict[str, Series], key: str) -> float | None:
    name, *labels = key.split("__")
    return seen.get(name, {}).get(tuple(labels))


def test_queue_declared_while_the_worker_runs(jobs: Jobs, look: Look, start: Start) -> None:
    """It is served: by one worker with two slots, which holds what it fetched; the facts name it."""
    jobs.send("early", 1)
    start()
    shows(look, queue_running_jobs__early=1)
    jobs.may_end.set()
    shows(look, queue_running_jobs__early=0)
    jobs.may_end.clear()
    jobs.send("late", 5)
    expected = {"queue_workers": 1, "queue_slots": 2, "queue_running_jobs": 2, "queue_load_ratio": 1.5}
    shows(look, **{f"{name}__late": value for name, value in expected.items()})
    for _ in range(6):  # two rounds of the audit
        assert look()["queue_unheld_jobs"].get(("late",), 0) == 0
    found = look()
    assert found["queue_unheld_jobs"]["late",] == found["queue_stuck_jobs"]["late",] == 0
    ((_, *facts),) = found["worker_info"]
    assert facts[2] == "early,late"
    assert list(found["worker_consumer_threads"].values()) == [4]


def test_actor_that_moves_to_another_queue(jobs: Jobs, look: Look, start: Start) -> None:
    """Its series exist at 0 on the new queue too, although the number of actors is the same."""
    jobs.may_end.set()
    jobs.send("old", 1)
    start()
    shows(look, jobs_processed_total__old__old=1)
    del jobs.broker.actors["old"]  # as a program does that loads its modules again
    jobs.declare("old", "new")
    shows(look, jobs_processed_total__new__old=0)


def test_two_workers_in_one_process(jobs: Jobs, look: Look, start: Start) -> None:
    """Both are shown, each with its own jobs; when the first stops, the second goes on and is counted."""
    for queue in ("a", "b"):
        jobs.send(queue, 3)
    first, _ = start("a"), start("b")
    found = shows(look, **{f"queue_running_jobs__{queue}": 2 for queue in "ab"})
    for queue in ("a", "b"):
        assert (found["queue_workers"][queue,], found["queue_slots"][queue,]) == (1, 2)
    assert sorted(found["worker_running_jobs"].values()) == [2, 2]
    for _ in range(6):
        assert not any(look()["queue_stuck_jobs"].values()), "the two share the broker's sets"
    jobs.may_end.set()
    shows(look, queue_running_jobs__a=0, queue_running_jobs__b=0)
    first.stop()
    found = look()
    assert (found["queue_workers"]["a",], found["queue_workers"]["b",]) == (0, 1)
    assert found["workers_missing"] == {(): 0}
    jobs.send("b", 10)
    found = shows(look, jobs_processed_total__b__b=13, jobs_processed_total__a__a=3)
    assert sum(found["worker_boots_total"].values()) == 2


@pytest.mark.parametrize("order", [*itertools.permutations(("a", "b", "c"))])
def test_workers_stop_in_any_order(
    jobs: Jobs, look: Look, start: Start, redis_server: RedisServer, order: tuple[str, ...]
) -> None:
    """Those that remain are shown, and their jobs counted; at the end nothing of the process remains."""
    jobs.may_end.set()
    workers = {queue: start(queue) for queue in ("a", "b", "c")}
    for stopped in range(3):
        for queue in order[stopped:]:
            jobs.send(queue, 2)
        for queue in order[stopped:]:
            counted = {f"jobs_processed_total__{queue}__{queue}": 2 * (stopped + 1)}
            shows(look, **counted, **{f"queue_workers__{queue}": 1})
        workers[order[stopped]].stop()
        found = look()
        assert found["workers_missing"] == {(): 0}
        assert len(found["worker_slots"]) == 2 - stopped
    assert not redis_server.client().exists(Keys("dramatiq").beats)


def test_worker_that_starts_again_in_its_process(jobs: Jobs, look: Look, start: Start) -> None:
    """As a process that restarts its Workers does: each is shown while it runs, and all jobs are counted."""
    jobs.may_end.set()
    for i in range(1, 4):
        worker = start()
        jobs.send("a", 5)
        shows(look, jobs_processed_total__a__a=5 * i, queue_workers__a=1)
        worker.stop()
        assert look()["queue_workers"]["a",] == 0
    found = look()
    assert sum(found["worker_boots_total"].values()) == 3
    assert (found["workers_missing"], found["jobs_enqueued_total"]["a", "a"]) == ({(): 0}, 15)


def test_job_that_outlives_its_worker_is_counted(jobs: Jobs, look: Look, start: Start) -> None:
    """Dramatiq leaves it to itself at the shutdown timeout, and the process goes on."""
    jobs.send("a", 1)
    worker = start()
    shows(look, queue_running_jobs__a=1)
    worker.stop(timeout=100)
    jobs.may_end.set()
    shows(look, jobs_processed_total__a__a=1)


def test_a_stop_without_redis_waits_once(
    jobs: Jobs, start: Start, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the process does not wait again for what its worker has waited for."""
    monkeypatch.setattr(middleware, "_STOP_TIMEOUT", 1.0)
    (metrics,) = (each for each in jobs.broker.middleware if isinstance(each, JobMetrics))
    worker = start()
    wait_until(lambda: redis_server.client().exists(Keys("dramatiq").beats))
    redis_server.kill()
    times = [time.monotonic()]
    for stop in (lambda: metrics.after_worker_shutdown(jobs.broker, worker), metrics._stop):
        stop()
        times.append(time.monotonic())
    assert times[2] - times[1] < (times[1] - times[0]) / 2


def test_hostname_that_changes(jobs: Jobs, look: Look, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The facts follow with the next heartbeat."""
    jobs.send("a", 1)
    start()
    wait_until(lambda: look()["worker_info"])
    jobs.may_end.set()
    monkeypatch.setattr("socket.gethostname", lambda: "renamed")
    jobs.send("a", 1)
    wait_until(lambda: {key[1] for key in look()["worker_info"]} == {"renamed"})


def test_a_worker_with_a_misspelled_queue_is_alive_and_consumes_nothing(
    jobs: Jobs, look: Look, start: Start
) -> None:
    """As QueueUnserved and NoActiveWorkers name it: it lists no queue, has free slots, and serves none."""
    jobs.send("mail", 3)
    start("mial")
    wait_until(lambda: look()["worker_info"], what="a heartbeat")
    found = shows(look, queue_workers__mail=0, queue_depth__mail__waiting=3)
    ((worker, *facts),) = found["worker_info"]
    assert facts[2] == ""
    assert found["worker_slots"][worker,] == 2
    assert found["worker_running_jobs"][worker,] == 0
