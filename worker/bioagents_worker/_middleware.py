"""The middleware: its hooks record events, and start and stop the flusher.

The hooks of a job do no I/O, take no lock and never wait; see :mod:`bioagents_worker._events`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from multiprocessing import util as multiprocessing_util
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, MiddlewareError

from bioagents_worker._events import DEAD, END, ENQUEUED, RETRY, SKIP, START, Recorder, ThreadLocal
from bioagents_worker._flusher import Flusher
from bioagents_worker._heartbeat import Heartbeat
from bioagents_worker._notices import WATCH, report_start
from bioagents_worker._tally import Tally
from bioagents_worker.wire import (
    READY_OF_OPTION,
    READY_OPTION,
    REDIS_ID_OPTION,
    REQUEUED_OPTION,
    first_stamp,
    parse_namespace,
    ready_when_due,
    ready_when_enqueued,
)

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.broker import Broker, MessageProxy

logger = logging.getLogger(__name__)

#: Bounds of ``min_interval`` in seconds. With a longer one, alerts would fire for a healthy worker: counts
#: are late after a minute, a worker is missing after three intervals and forgotten after an hour.
_INTERVALS: Final = (0.01, 30.0)
#: Seconds in which a worker or a producer that ends may send its last counts.
_STOP_TIMEOUT: Final = 5.0


class ConfigurationError(MiddlewareError):
    """The application uses ``JobMetrics`` in a way that cannot work; the message says what was expected."""


class JobMetrics(Middleware):
    """Counts every job of this process exactly once, and sends counts and a heartbeat to Redis.

    Add it to the :class:`dramatiq.brokers.redis.RedisBroker` of workers and of producers, or to a broker that
    leads to one; it moves itself to the front of the list of middleware. With a ``StubBroker`` it does
    nothing.

    Raises:
        ConfigurationError: From ``broker.add_middleware`` or the first declaration of an actor: a second
            JobMetrics, a broker that does not use Redis, an unsupported namespace, a bad option.
    """

    def __init__(self, *, version: str = "", min_interval: float = 0.1) -> None:
        """Set up the middleware; no connection is opened and no thread started yet.

        Args:
            version: The application's version, published with each worker.
            min_interval: Shortest time between two calls to Redis, 0.01 to 30 seconds. A longer one makes
                fewer requests, and counts are visible that much later.
        """
        if not isinstance(version, str):
            raise ConfigurationError(f"JobMetrics: version must be a string, got {version!r}")
        least, most = _INTERVALS
        number = isinstance(min_interval, (int, float)) and not isinstance(min_interval, bool)
        if not number or not least <= min_interval <= most:
            raise ConfigurationError(
                f"JobMetrics: min_interval must be {least:g} to {most:g} seconds, got {min_interval!r}"
            )
        self._version, self._min_interval = version, float(min_interval)
        self._broker: Any = None
        self._active = False
        self._begin()

    @property
    def actor_options(self) -> set[str]:
        """None; Dramatiq reads them just after it has added the middleware to a broker."""
        WATCH.add(self)
        return set()

    # -- hooks of each job: the hot path -------------------------------------------------------------------

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Set the time at which the job becomes ready."""
        try:
            if self._broker is None:
                self._attach(broker)
            local, options = self._local, message.options
            now_ms = time.time_ns() // 1_000_000
            if local.consumer:
                # A delayed job that is due moves from .DQ to its queue; before_delay_message set its time.
                local.moves = delay is None and options.get(READY_OF_OPTION) == message.message_id
                if local.moves:
                    return
            options[READY_OPTION] = ready_when_enqueued(options, now_ms)
            options[READY_OF_OPTION] = message.message_id
        except Exception as error:  # noqa: BLE001 - a bug here must not fail a job
            self._failed("before_enqueue", error)

    def after_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:  # noqa: ARG002 - as above
        """A job was enqueued, or retried.

        Its options say nothing about that: applications enqueue messages again, with the options of the last
        attempt. It is a retry if this thread's attempt of the same message raised and did not kill the job.
        """
        try:
            local = self._local
            if local.consumer and local.moves:
                return
            attempt = local.attempt
            retried = (
                attempt is not None
                and getattr(attempt, "_exception", None) is not None  # Dramatiq 1 deletes it
                and not attempt.failed
                and attempt._message.message_id == message.message_id  # noqa: SLF001 - as below
            )
            local.append((RETRY if retried else ENQUEUED, message.queue_name, message.actor_name))
            if self._flusher is None:
                self._ensure_flusher()
        except Exception as error:  # noqa: BLE001 - see before_enqueue
            self._failed("after_enqueue", error)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - as above
        """An attempt starts."""
        try:
            m = message._message  # noqa: SLF001 - attribute look-ups of the proxy would be most of the cost here
            local, options = self._local, m.options
            local.attempt = message
            stamp = options.get(READY_OPTION)
            if not stamp:
                stamp = options.get(REQUEUED_OPTION)
            elif options.get(READY_OF_OPTION) != m.message_id:
                stamp = first_stamp(options, m.message_id)  # this function alone would cost more
            local.append(
                (START, monotonic_ns(), m.queue_name, m.actor_name, options.get(REDIS_ID_OPTION),
                 stamp, m.message_timestamp)
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - see before_enqueue
            self._failed("before_process_message", error)

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002 - as above
        message: MessageProxy,
        *,
        result: Any = None,  # noqa: ANN401, ARG002 - as above
        exception: BaseException | None = None,
    ) -> None:
        """An attempt ended."""
        try:
            self._local.append(
                (END, monotonic_ns(), None if exception is None else exception.__class__, message.failed)
            )
        except Exception as error:  # noqa: BLE001 - see before_enqueue
            self._failed("after_process_message", error)

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - as above
        """A middleware skipped the attempt."""
        try:
            self._local.append((SKIP, message.failed))
        except Exception as error:  # noqa: BLE001 - see before_enqueue
            self._failed("after_skip_message", error)

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - as above
        """A job was dead-lettered."""
        try:
            self._local.append((DEAD, message.queue_name, message.actor_name))
        except Exception as error:  # noqa: BLE001 - see before_enqueue
            self._failed("after_nack", error)

    def before_delay_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - as above
        """A worker fetched a delayed job; its ``eta`` is removed when the job moves to its queue."""
        try:
            options, message_id = message.options, message.message_id
            ready_ms = ready_when_due(options, message_id, message.message_timestamp)
            options[READY_OPTION] = time.time_ns() // 1_000_000 if ready_ms is None else ready_ms
            options[READY_OF_OPTION] = message_id
        except Exception as error:  # noqa: BLE001 - see before_enqueue
            self._failed("before_delay_message", error)

    # -- declarations, start and end of a process ----------------------------------------------------------

    def before_declare_actor(self, broker: Broker, actor: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """Move to the front of the list of middleware."""
        self._attach(broker)

    def after_declare_actor(self, broker: Broker, actor: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """Move to the front of the list of middleware."""
        self._attach(broker)

    def before_declare_queue(self, broker: Broker, queue_name: str) -> None:  # noqa: ARG002 - as above
        """Move to the front of the list of middleware."""
        self._attach(broker)

    def after_declare_queue(self, broker: Broker, queue_name: str) -> None:  # noqa: ARG002 - as above
        """Move to the front of the list of middleware."""
        self._attach(broker)

    def before_worker_boot(self, broker: Broker, worker: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """Move to the front of the list of middleware."""
        self._attach(broker)

    def after_worker_boot(self, broker: Broker, worker: Any) -> None:  # noqa: ANN401 - as above
        """This process is a worker."""
        flusher = self._ensure_flusher(wait=True)  # a running job may be starting it
        if flusher is not None:
            flusher.become_worker(Heartbeat(broker, worker, self._tally, version=self._version))

    def after_consumer_thread_boot(self, broker: Broker, thread: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """This thread enqueues only delayed jobs that are due."""
        if self._active:
            self._local.consumer = True

    def before_worker_shutdown(self, broker: Broker, worker: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """This worker drains: it offers no slots."""
        if self._flusher is not None:
            self._flusher.drain(worker)

    def after_worker_shutdown(self, broker: Broker, worker: Any) -> None:  # noqa: ANN401, ARG002 - as above
        """The worker has ended; its process may go on."""
        if self._flusher is not None:
            self._flusher.end_worker(worker, _STOP_TIMEOUT)

    # -- internals -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Reset the state of the process; a forked child does not inherit its parent's."""
        self._recorder = Recorder()
        self._local: Any = ThreadLocal(self._recorder) if self._active else _NoLog()
        self._tally = Tally(self._broker.actors if self._active else ())
        self._flusher: Flusher | None = None
        self._finalizer: Any = None
        self._starting = threading.Lock()

    def _attach(self, broker: Any) -> None:  # noqa: ANN401 - RedisBroker is untyped
        if sum(isinstance(other, JobMetrics) for other in broker.middleware) > 1:
            raise ConfigurationError("JobMetrics was added to this broker twice; add it once")
        # A proxy and the broker behind it have one list of middleware.
        known = self._broker is not None and self._broker.middleware is broker.middleware
        if not known and self._active:
            self._leave(broker)
            return
        if not known:  # the first broker, or the real one after a StubBroker in its place
            self._bind(broker)
        if broker.middleware and broker.middleware[0] is not self:
            # First, to see a job before AgeLimit may skip it and after Retries has decided. A new list,
            # because Dramatiq may be iterating over this one.
            broker.middleware = [self, *(other for other in broker.middleware if other is not self)]

    def _leave(self, broker: Any) -> None:  # noqa: ANN401 - as above
        """Give a second broker a JobMetrics of its own: its jobs may be in another Redis."""
        logger.warning("one JobMetrics was added to two brokers; the second one gets its own")
        own = JobMetrics(version=self._version, min_interval=self._min_interval)
        broker.middleware = [own if other is self else other for other in broker.middleware]
        own._attach(broker)

    def _bind(self, broker: Any) -> None:  # noqa: ANN401 - as above
        active = _uses_redis(broker)
        if not active and not isinstance(broker, StubBroker):
            raise ConfigurationError(f"JobMetrics needs a RedisBroker, got a {type(broker).__name__}")
        if active:
            try:
                parse_namespace(broker.namespace)
            except ValueError as error:
                raise ConfigurationError(f"JobMetrics: namespace {broker.namespace!r}: {error}") from None
        self._broker, self._active = broker, active
        if self._active:
            self._begin()
            forked = weakref.WeakMethod(self._begin)
            os.register_at_fork(after_in_child=lambda: (begin := forked()) and begin())

    def _ensure_flusher(self, *, wait: bool = False) -> Flusher | None:
        """The flusher, started by the first thread that needs it; None while another thread starts it.

        ``wait`` until that start has finished; the hooks of jobs must not.
        """
        acquire, unset = self._starting.acquire, self._active and self._flusher is None
        if unset and (acquire(timeout=_STOP_TIMEOUT) if wait else acquire(blocking=False)):
            try:
                if not threading.main_thread().is_alive():  # in an ``atexit`` function: no thread can start
                    self._new_flusher().stop(_STOP_TIMEOUT)
                elif self._flusher is None:
                    self._flusher = self._start()
            finally:
                self._starting.release()
        return self._flusher

    def _start(self) -> Flusher:
        flusher = self._new_flusher()
        flusher.start()
        report_start(self._broker.client, self._broker.namespace)
        stop = weakref.WeakMethod(self._stop)
        # Runs at the end of the interpreter, and of multiprocessing's children, which run no atexit.
        self._finalizer = multiprocessing_util.Finalize(
            None, lambda: (end := stop()) and end(), exitpriority=0
        )
        return flusher

    def _new_flusher(self) -> Flusher:
        return Flusher(self._broker, self._recorder, self._tally, min_interval=self._min_interval)

    def _stop(self) -> None:
        flusher, self._flusher = self._flusher, None
        if flusher is not None:
            self._finalizer.cancel()
            flusher.stop(_STOP_TIMEOUT)

    def _failed(self, hook: str, error: Exception) -> None:
        """A bug of ours: count it, and log it once for each hook."""
        self._tally.failures.add("hook", error, f"JobMetrics failed in {hook}")


def _uses_redis(broker: Any) -> bool:  # noqa: ANN401 - as _attach
    """Whether this is a RedisBroker, or something that leads to one, as a proxy does."""
    return isinstance(broker, RedisBroker) or all(
        hasattr(broker, name) for name in ("client", "namespace", "broker_id")
    )


class _NoLog:
    """Used in place of a thread's log while nothing is recorded."""

    attempt: Any = None
    consumer = moves = False

    def append(self, event: object) -> None:
        """Drop the event."""
