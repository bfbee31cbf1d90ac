"""The application of the truth tests: an actor for every kind of outcome, each of which writes a record.

``dramatiq app`` runs it; ``python app.py <rounds>`` sends jobs. Environment: REDIS_URL, RECORD
(the file), and for some variants SENTINEL (its port), VALKEY (the client is of valkey-py), GREEN,
WITH_PROMETHEUS, WIRE_VERSION, REDIS_PY_RETRIES, HEARTBEAT_TIMEOUT.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq import group, pipeline
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, GroupCallbacks, Middleware, SkipMessage
from dramatiq.middleware.age_limit import AgeLimit
from dramatiq.rate_limits import ConcurrentRateLimiter
from dramatiq.rate_limits.backends import RedisBackend
from record import write

from bioagents_worker import JobMetrics

monkey = sys.modules.get("gevent.monkey")
#: Whether this runs under dramatiq-gevent, which patches before it imports anything, or a test sets GREEN.
GREEN = bool(monkey and monkey.is_module_patched("threading")) or "GREEN" in os.environ


class RecordedBroker(RedisBroker):
    """Records that a job is about to be enqueued, before any middleware is called."""

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        write("intent", message.queue_name, message.actor_name, f"{message.message_id},{delay}")
        return super().enqueue(message, delay=delay)


class Failed(threading.local):
    """The message whose actor has raised in this thread, until its attempt ends."""

    of = ""


failed = Failed()
process_message = dramatiq.worker._WorkerThread.process_message


def recorded_attempt(self: Any, message: Any) -> None:
    """Records the start and end of an attempt, with all middleware inside."""
    write("open", message.queue_name, message.actor_name, message.message_id)
    process_message(self, message)
    failed.of = ""
    write("close", message.queue_name, message.actor_name)


dramatiq.worker._WorkerThread.process_message = recorded_attempt  # type: ignore[method-assign]


class Witness(Middleware):
    """Records what Dramatiq does: enqueues, retries, skips, dead letters."""

    def before_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        write("offer", message.queue_name, message.actor_name, f"{message.message_id},{delay}")

    def after_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        kind = "retry" if delay is not None and failed.of == message.message_id else "enqueue"
        if isinstance(threading.current_thread(), dramatiq.worker._ConsumerThread):
            kind = "hop"  # a delayed job that is due
        write(kind, message.queue_name, message.actor_name, message.message_id)

    def before_process_message(self, broker: Any, message: Any) -> None:
        write("taken", message.queue_name, message.actor_name)

    def after_skip_message(self, broker: Any, message: Any) -> None:
        write("expired" if message.failed else "skip", message.queue_name, message.actor_name)

    def after_nack(self, broker: Any, message: Any) -> None:
        write("dead", message.queue_name, message.actor_name)


class Refuse(Middleware):
    """Skips every message of one actor."""

    def before_process_message(self, broker: Any, message: Any) -> None:
        if message.actor_name == "refused":
            raise SkipMessage("refused")


url = os.environ["REDIS_URL"]
if "SENTINEL" in os.environ:
    from redis.sentinel import Sentinel

    client = Sentinel([("127.0.0.1", int(os.environ["SENTINEL"]))], socket_timeout=1).master_for("fleet")
    broker = RecordedBroker(client=client)
    limits = RedisBackend(client=client)
elif "VALKEY" in os.environ:
    import valkey

    broker = RecordedBroker(client=valkey.Valkey.from_url(url))
    limits = RedisBackend(client=valkey.Valkey.from_url(url))
elif "REDIS_PY_RETRIES" in os.environ:  # without a URL redis-py repeats commands that had no reply
    broker = RecordedBroker(host="127.0.0.1", port=urlsplit(url).port)
    limits = RedisBackend(url=url)
else:
    # In milliseconds; with this variable Dramatiq looks for dead workers at every command.
    timeout = os.environ.get("HEARTBEAT_TIMEOUT")
    short = {"heartbeat_timeout": int(timeout), "maintenance_chance": 1_000_000} if timeout else {}
    broker = RecordedBroker(url=url, **short)
    limits = RedisBackend(url=url)
broker.add_middleware(Witness(), before=AgeLimit)
broker.add_middleware(Refuse())
broker.add_middleware(dramatiq.middleware.CurrentMessage())
broker.add_middleware(GroupCallbacks(limits))
if not GREEN:  # Dramatiq's event loop thread and gevent do not go together
    broker.add_middleware(AsyncIO())
if "WITH_PROMETHEUS" in os.environ:
    from dramatiq.middleware.prometheus import Prometheus

    broker.add_middleware(Prometheus())
if "WIRE_VERSION" in os.environ:
    from bioagents_worker import _flusher as flusher

    flusher.Keys = functools.partial(flusher.Keys, version=int(os.environ["WIRE_VERSION"]))  # type: ignore[misc, assignment]
broker.add_middleware(JobMetrics())
dramatiq.set_broker(broker)


def recorded(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """An actor that records its own start and end."""

    def decorate(function: Callable[..., Any]) -> Any:
        name, queue = function.__name__, options.get("queue_name", "default")

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            write("start", queue, name)
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                write("raise", queue, name, type(error).__name__)
                message = dramatiq.middleware.CurrentMessage.get_current_message()
                failed.of = message.message_id if message else ""
                raise
            write("end", queue, name)
            return result

        return dramatiq.actor(**{"min_backoff": 20, "max_backoff": 50, "max_retries": 2, **options})(run)

    return decorate


@recorded(queue_name="chat")
def succeed(*_: object) -> int:
    return 1


@recorded(queue_name="chat", priority=0)
def urgent() -> None:
    pass


@recorded(queue_name="chat")
def flaky(fails: int) -> None:
    message = dramatiq.middleware.CurrentMessage.get_current_message()
    if (message.options.get("retries", 0) if message else 0) < fails:
        raise ConnectionResetError("again")


@recorded(queue_name="chat")
def hopeless() -> None:
    raise ValueError("never")


@recorded(queue_name="chat", throws=(KeyError,))
def expected() -> None:
    raise KeyError("expected")


@recorded(queue_name="deep", max_age=1)
def aged() -> None:
    pass


@recorded(queue_name="deep")
def refused() -> None:
    pass


@recorded(queue_name="deep", time_limit=300, max_retries=0)
def endless() -> None:
    while True:
        time.sleep(0.01)


@recorded(queue_name="deep", max_retries=1)
def limited() -> None:
    with ConcurrentRateLimiter(limits, "truth", limit=1, ttl=5000).acquire():
        time.sleep(0.02)


@recorded(queue_name="deep")
def postponed() -> None:
    raise dramatiq.Retry("later", delay=10)


@recorded(queue_name="chat")
def polls(left: int, delay: int | None) -> None:
    """Fails once, then enqueues its own message again, with what Dramatiq left in its options."""
    message = dramatiq.middleware.CurrentMessage.get_current_message()
    if "retries" not in message.options:
        raise ConnectionResetError("once")
    if left:
        broker.enqueue(message.copy(args=(left - 1, delay)), delay=delay)


@recorded(queue_name="deep")
def slow(seconds: float) -> None:
    time.sleep(seconds)


if not GREEN:

    @dramatiq.actor(queue_name="chat", max_retries=0)
    async def gentle(*, fail: bool) -> None:
        write("start", "chat", "gentle")
        await asyncio.sleep(0.001)
        if fail:
            write("raise", "chat", "gentle", "LookupError")
            raise LookupError
        write("end", "chat", "gentle")


def send_round(number: int) -> None:
    """About thirty jobs, every kind of outcome among them."""
    for _ in range(12):
        succeed.send()
    urgent.send()
    for fails in (1, 2):
        flaky.send(fails)
    succeed.send_with_options(delay=50)
    pipeline(
        [succeed.message(), succeed.message(), urgent.message().copy(options={"pipe_ignore": True})]
    ).run()
    members = group([succeed.message() for _ in range(3)])
    members.add_completion_callback(urgent.message())
    members.run()
    if not GREEN:
        gentle.send(fail=False)
        gentle.send(fail=True)
    if number % 5 == 0:
        for actor in (hopeless, expected, aged, refused, postponed):
            actor.send()
        limited.send()
        limited.send()
        broker.enqueue(dramatiq.Message("chat", "nobody", (), {}, {}))
    if number % 50 == 0:
        endless.send()


if __name__ == "__main__":
    for round_number in range(int(sys.argv[1])):
        # If replies are lost the sender may get an error; the next round is sent all the same.
        with contextlib.suppress(redis.ConnectionError):
            send_round(round_number)
        if len(sys.argv) > 2:
            time.sleep(float(sys.argv[2]))
