"""What an enqueue is: an arrival, a retry, or the move of a delayed job; whatever options a message has.

Applications enqueue messages again and copy their options: a job polls by enqueuing its own message, a dead
letter is put back, a message is built from the options of another. Options therefore prove nothing.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import group, pipeline
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

from bioagents_exporter.read.heads import ready_of
from bioagents_worker import JobMetrics
from bioagents_worker.wire import Keys
from support.polling import wait_until
from support.redis_server import RedisServer
from worker.test_middleware import Totals, run_worker

Message = dramatiq.Message[Any]


class Application:
    """A worker whose jobs follow plans, and its own count of what it enqueued and of what was retried."""

    def __init__(self, server: RedisServer) -> None:
        self.client, self.broker = server.client(decode_responses=True), RedisBroker(url=server.url)
        self.metrics = JobMetrics()
        self.broker.add_middleware(self.metrics)
        self.broker.add_middleware(CurrentMessage())
        self.plans: dict[str, deque[str]] = {"": deque()}
        self.lock = threading.Lock()
        self.expected: Counter[str] = Counter(enqueued=0, retries=0)
        options = {"max_retries": 1_000, "min_backoff": 1, "max_backoff": 5}
        self.act = dramatiq.actor(self.work, broker=self.broker, actor_name="act", **options)  # type: ignore[call-overload]
        self.worker = dramatiq.Worker(self.broker, worker_timeout=20, worker_threads=4)
        self.worker.start()

    def close(self) -> None:
        self.worker.stop()
        self.metrics._stop()
        self.broker.close()
        self.client.close()

    def work(self, key: str, *_: object) -> None:
        """One attempt: the next step of its plan."""
        steps = self.plans[key]
        try:
            step = steps.popleft()
        except IndexError:
            return
        message: Any = CurrentMessage.get_current_message()
        STEPS[step](self, key, message)

    def expect(self, name: str, n: int = 1) -> None:
        with self.lock:
            self.expected[name] += n

    def enqueue(self, message: Message, delay: int | None = None) -> None:
        self.expect("enqueued")
        self.broker.enqueue(message, delay=delay)

    def fail(self, error: Exception) -> None:
        self.expect("retries")
        raise error

    def counted(self) -> Counter[str]:
        fields = self.client.hgetall(Keys("dramatiq").totals("default"))
        return Counter(
            {name: int(fields.get(f"{name}|act", 0)) for name in ("enqueued", "retries", "processed")}
        )

    def run(self, plans: list[list[str]]) -> tuple[Counter[str], Counter[str]]:
        """What these plans should count, and what was counted, once every job has had all its attempts."""
        before, self.expected = self.counted(), Counter(enqueued=0, retries=0)
        for plan in plans:
            key = uuid.uuid4().hex
            self.plans[key] = deque(plan)
            self.enqueue(self.act.message(key))

        def done() -> bool:
            # Each enqueue and each retry is one more attempt, and is expected before its attempt ends.
            return (self.counted() - before)["processed"] == self.expected.total()

        wait_until(done, what="all attempts")
        found = self.counted()
        return self.expected, Counter({name: found[name] - before[name] for name in self.expected})


Step = Callable[[Application, str, Message], None]


def caught(app: Application, _: str, message: Message) -> None:
    """The actor handles its own error by enqueuing the job again."""
    try:
        {}["key"]
    except KeyError:
        app.enqueue(message, delay=10)


def again_and_fail(app: Application, _: str, message: Message) -> None:
    app.enqueue(message, delay=10)
    app.fail(ConnectionResetError())


def in_a_thread(app: Application, _: str, message: Message) -> None:
    thread = threading.Thread(target=app.enqueue, args=(message, 10))
    thread.start()
    thread.join()


def inherited(app: Application, key: str, message: Message) -> None:
    """Another message with all options of this one."""
    app.expect("enqueued")
    app.act.send_with_options(args=(key,), **message.options)


def in_a_pipeline(app: Application, _: str, message: Message) -> None:
    """Two stages: a message with inherited options that does nothing, then a copy of this one."""
    app.expect("enqueued", 2)
    copy = message.copy(message_id=uuid.uuid4().hex, options={"pipe_ignore": True})
    first = app.act.message_with_options(args=("",), **message.options)
    pipeline([first, copy], broker=app.broker).run()


def in_a_group(app: Application, key: str, message: Message) -> None:
    app.expect("enqueued", 2)
    copy = message.copy(message_id=uuid.uuid4().hex)
    group([app.act.message(key), copy], broker=app.broker).run()


STEPS: dict[str, Step] = {
    "succeed": lambda *_: None,
    "fail": lambda app, *_: app.fail(ConnectionResetError()),
    "retry": lambda app, *_: app.fail(dramatiq.Retry(delay=10)),
    "again": lambda app, _, message: app.enqueue(message),
    "again, delayed": lambda app, _, message: app.enqueue(message, delay=10),
    "again, stored": lambda app, _, message: app.enqueue(dramatiq.Message.decode(message.encode())),
    "copied": lambda app, _, message: app.enqueue(message.copy(message_id=uuid.uuid4().hex)),
    "copied, delayed": lambda app, _, message: app.enqueue(
        message.copy(message_id=uuid.uuid4().hex), delay=10
    ),
    "retries set": lambda app, _, message: app.enqueue(message.copy(options={"retries": 7}), delay=10),
    "caught": caught,
    "again and fail": again_and_fail,
    "in a thread": in_a_thread,
    "inherited": inherited,
    "in a pipeline": in_a_pipeline,
    "in a group": in_a_group,
}


@pytest.fixture(scope="module")
def application(shared_redis: RedisServer) -> Iterator[Application]:
    application = Application(shared_redis)
    yield application
    application.close()


@pytest.mark.parametrize("step", STEPS)
def test_each_way_to_enqueue_after_a_failure(application: Application, step: str) -> None:
    """A message that failed once has ``retries`` in its options ever after; nothing is counted by them."""
    expected, counted = application.run([["fail", step, step, "succeed", step]])
    assert counted == expected


@pytest.mark.parametrize("seed", range(12))
def test_all_ways_to_enqueue_mixed(application: Application, seed: int) -> None:
    """Every call of the application is one arrival, every attempt that fails is one retry, nothing else."""
    dice = random.Random(seed)  # Hypothesis forbids `random`, which Dramatiq uses for its back-off
    plans = [dice.choices(list(STEPS), k=dice.randrange(7)) for _ in range(10)]
    expected, counted = application.run(plans)
    assert counted == expected


def test_a_job_that_polls_is_not_retried(broker: RedisBroker, totals: Totals) -> None:
    """After one failure it enqueues its own message twenty times: one retry, as many arrivals as ends."""
    broker.add_middleware(CurrentMessage())
    broker.add_middleware(JobMetrics())
    attempts: list[Message] = []

    def act() -> None:
        attempts.append(CurrentMessage.get_current_message())  # type: ignore[arg-type] - there is one
        if len(attempts) == 1:
            raise ConnectionResetError
        if len(attempts) < 22:
            broker.enqueue(attempts[-1], delay=1)

    dramatiq.actor(act, broker=broker, actor_name="act", min_backoff=1, max_backoff=1).send()
    run_worker(broker, lambda: totals().get("processed|act") == 22)
    counts = totals()
    assert (counts["retries|act"], counts["enqueued|act"], counts["succeeded|act"]) == (1, 21, 21)


class Enqueuing(dramatiq.Middleware):
    """Announces each delayed job, in the consumer's thread, and puts each dead letter back, once."""

    def before_delay_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        announce = broker.get_actor("announce")
        announce.send()
        announce.send_with_options(
            **{name: value for name, value in message.options.items() if name != "eta"}
        )

    def after_nack(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        if not message.options.get("put_back"):
            broker.enqueue(message.copy(options={"put_back": True}))


def test_middleware_that_enqueues(broker: RedisBroker, totals: Totals) -> None:
    """Its enqueues in a consumer's thread move no delayed job; a dead letter that is put back is no retry."""
    broker.add_middleware(JobMetrics())
    broker.add_middleware(Enqueuing())
    dramatiq.actor(lambda: None, broker=broker, actor_name="announce")
    dramatiq.actor(lambda: {}["key"], broker=broker, actor_name="act", max_retries=0).send_with_options(
        delay=50
    )
    run_worker(broker, lambda: totals().get("dead|act") == 2 and totals().get("succeeded|announce") == 2)
    counts = totals()
    assert (counts["enqueued|act"], counts["enqueued|announce"]) == (2, 2)
    assert "retries|act" not in counts


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_copied_time_is_of_another_message(
    broker: RedisBroker, totals: Totals, redis_server: RedisServer, hours: int
) -> None:
    """A producer without JobMetrics copies all options: to worker and exporter the job is ready when sent."""
    broker.add_middleware(JobMetrics())
    plain = RedisBroker(url=redis_server.url, middleware=[])
    actor = dramatiq.actor(lambda: None, broker=broker, actor_name="act")
    then = time.time_ns() // 1_000_000 + hours * 3_600_000
    times = {"bioagents_ready": then, "requeue_timestamp": then}
    sent = plain.enqueue(actor.message_with_options(bioagents_of="another", **times))
    ready = ready_of(json.loads(sent.encode()))
    assert ready is not None
    assert (ready.time, ready.exact) == (sent.message_timestamp / 1000, False)
    time.sleep(0.5)
    run_worker(broker, lambda: totals().get("succeeded|act"))
    assert totals()["wait_us|act"] == pytest.approx(500_000, abs=450_000)
    plain.close()
