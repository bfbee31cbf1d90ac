"""The thread that adds up events and sends the counts to Redis."""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from dramatiq.brokers.redis import RedisBroker

from bioagents_worker._events import Recorder
from bioagents_worker._heartbeat import Heartbeat
from bioagents_worker._link import IdleClosedError, Link, NoReplyError
from bioagents_worker._sweep import PERIOD, Sweep
from bioagents_worker._tally import Increments, Tally
from bioagents_worker._transport import NotSent, Reply, Request, Transport
from bioagents_worker.wire import MIDDLEWARE_ERRORS, OTHER, WHOLE_FLEET, Keys, boots_field, counter_field

logger = logging.getLogger(__name__)

#: Calls per second of a whole fleet, about. A call costs an otherwise idle Redis some 130 µs of CPU
#: (``benchmarks/run.py redis-cpu``), so this many use less than 5 % of a core.
FLEET_CALLS: Final = 300
#: Seconds between two heartbeats of a worker with no new counts.
IDLE: Final = 5.0
#: Seconds to wait after a call without a reply.
_RETRY: Final = 1.0
#: Events are added up at least this often (seconds), even if the size of the fleet allows fewer calls.
_MAX_TICK: Final = 1.0
#: Attempts remembered for :meth:`Sweep.claim`.
_MAX_STARTED: Final = 1_000
#: Hosts with a label of their own in the fleet's count of starts.
_MAX_HOSTS: Final = 1_000

#: Calls in a row: one that finds its connection closed, one that learns of a new epoch, one with the counts.
_CALLS: Final = 3


def clock() -> float:
    """Monotonic seconds that include the time in which the host sleeps, if the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Flusher:
    """One caller of the script: a producer, or a worker from the moment it has a heartbeat.

    Everything but :meth:`stop` and the attributes that the middleware sets belongs to the flusher's thread.
    """

    def __init__(self, broker: RedisBroker, recorder: Recorder, tally: Tally, *, min_interval: float) -> None:
        """``min_interval``: shortest time between two calls, in seconds."""
        self.id = uuid.uuid4().hex
        self.heartbeat: Heartbeat | None = None
        self._booted = False  # a start to count
        self._urgent = False  # the next heartbeat must not wait until it is due
        self.errors = 0  # of the hooks; the middleware adds to it
        self._recorder, self._tally, self._min_interval = recorder, tally, min_interval
        self._keys = keys = Keys(broker.namespace)
        self._link = Link(broker.client, keys)
        self._transport = Transport(clock(), self._markers)
        self._actors, self._marked = broker.actors, 0
        self._sweep = Sweep(self._link, keys, self.id)
        self._interval = min_interval
        self._last_call = self._last_sweep = float("-inf")
        self._waiting_since: float | None = None
        self._skew, self._redis_ahead_us, self._reported_errors = 0.0, 0, 0
        self._reachable, self._idle_closed = True, False
        self._logged: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bioagents-flusher", daemon=True)

    def start(self) -> None:
        """Start the thread; every flusher that is started must be stopped."""
        self._thread.start()

    def become_worker(self, heartbeat: Heartbeat) -> None:
        """From now on the calls of this process carry a heartbeat."""
        self._booted = True
        self.heartbeat = heartbeat

    def drain(self) -> None:
        """Report without delay that this worker accepts no more jobs."""
        if self.heartbeat is not None:
            self.heartbeat.draining = self._urgent = True

    def stop(self, timeout: float) -> None:
        """Send the last counts and sign off within ``timeout`` seconds; called once, by another thread."""
        deadline = clock() + timeout
        self._stopped.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            return  # it waits for Redis: its last counts are lost, as those of a killed worker
        while not self._sign_off() and clock() < deadline:
            time.sleep(min(0.2, timeout))
        self._link.close()

    def step(self) -> None:
        """Add up events, and call Redis if it is time."""
        self._collect()
        now = clock()
        if self._due(now):
            self._call(now, "worker" if self.heartbeat else "producer")
        if self.heartbeat and self._reachable and now - self._last_sweep >= PERIOD:
            self._last_sweep = now + random.uniform(0, 1)  # noqa: S311 - spreads load, keeps no secret
            self._guard(lambda: self._sweep.run(time.time_ns() // 1000 + self._redis_ahead_us))

    def _run(self) -> None:
        while not self._stopped.wait(self._pause()):
            try:
                self.step()
            except Exception as error:  # the next events must still be counted
                self.errors += 1
                if repr(error) not in self._logged:
                    self._logged.add(repr(error))
                    logger.exception("flush failed; the same failure again is only counted")

    def _pause(self) -> float:
        """Seconds to the next step: until a call is allowed, and short from then on."""
        allowed_in = self._last_call + self._interval - clock()
        return min(max(allowed_in, self._min_interval), _MAX_TICK)

    def _due(self, now: float) -> bool:
        since = now - self._last_call
        if not self._reachable:
            return since >= max(_RETRY, self._interval)
        if self._transport.waiting or self._urgent:
            return since >= self._interval
        return self.heartbeat is not None and since >= max(IDLE, self._interval)

    def _collect(self) -> None:
        offset = time.time_ns() - time.monotonic_ns()
        for log, events, ended in self._recorder.drain():
            self._tally.add(log, events, ended=ended, wall_minus_monotonic_ns=offset)
        self._claim()
        if len(self._actors) != self._marked and self._transport.epoch:
            self._transport.add(self._markers())  # an actor was declared late
        if self._booted:
            self._booted = False
            self._tally.inc(WHOLE_FLEET, boots_field(self._boot_host()))
        if self.errors > self._reported_errors:
            self._tally.inc(WHOLE_FLEET, MIDDLEWARE_ERRORS, self.errors - self._reported_errors)
            self._reported_errors = self.errors
        counts = self._tally.take()
        if counts:
            self._transport.add(counts)
            if self._waiting_since is None:
                self._waiting_since = clock()

    def _boot_host(self) -> str:
        """The name of this host; ``(other)`` if the fleet has many: each pod has a new name."""
        host, totals = socket.gethostname(), self._keys.totals(WHOLE_FLEET)
        many: list[bool] = []

        def look() -> None:
            known = self._link.command("HEXISTS", totals, boots_field(host))
            many.append(not known and self._link.command("HLEN", totals) >= _MAX_HOSTS)

        self._guard(look)
        return OTHER if any(many) else host

    def _markers(self) -> Increments:
        """Zeros with which the series of every declared actor start."""
        actors = list(self._actors.values())
        self._marked = len(actors)
        markers: Increments = {}
        for actor in actors:
            markers.setdefault(actor.queue_name, {})[counter_field("processed", actor.actor_name)] = 0
        return markers

    def _claim(self) -> None:
        started = self._tally.started
        if not self._sweep.watching or not self._reachable:
            del started[:-_MAX_STARTED]
            return
        if started:
            claimed: list[Any] = []
            attempts = [self._tally.attempt(start) for start in started]
            self._guard(lambda: claimed.extend(self._sweep.claim(attempts)))
            for attempt in claimed:
                self._tally.inc(attempt.queue, counter_field("redelivered", attempt.actor))
            started.clear()

    def _call(self, now: float, kind: str) -> Reply | None:
        beat = ""
        if kind == "worker" and self.heartbeat:
            age = 0.0 if self._waiting_since is None else now - self._waiting_since
            beat = self.heartbeat.encode(interval=max(IDLE, self._interval), skew=self._skew, flush_age=age)
            self._urgent = False
        for _ in range(_CALLS):
            self._idle_closed = False
            reply = self._transport.call(now, lambda request: self._send(request, kind, beat))
            # Counts still wait after a reply that has a new epoch.
            if not (self._idle_closed or (reply is not None and self._transport.waiting)):
                break
        self._last_call = clock()
        if reply is not None:
            if not self._transport.waiting:
                self._waiting_since = None
            # A jitter of 10 %, so that workers that start together do not stay in step.
            self._interval = max(self._min_interval, reply.fleet / FLEET_CALLS) * random.uniform(0.9, 1.1)  # noqa: S311
        return reply

    def _send(self, request: Request, kind: str, beat: str) -> Reply | None:
        before = time.time_ns()
        reply: list[Reply] = []

        def flush() -> None:
            try:
                reply.append(self._link.flush(self.id, request, kind=kind, beat=beat))
            except IdleClosedError:
                self._idle_closed = True

        error = self._guard(flush)
        if isinstance(error, NotSent):
            raise error
        if not reply:
            return None
        middle_us = (before + time.time_ns()) // 2000
        self._redis_ahead_us = reply[0].time_us - middle_us
        self._skew = -self._redis_ahead_us / 1e6
        return reply[0]

    def _sign_off(self) -> bool:
        self._collect()
        reply = self._call(clock(), "gone")
        return reply is not None and not self._transport.waiting

    def _guard(self, action: Callable[[], object]) -> Exception | None:
        """Run an action that uses Redis and return its error; log when Redis fails and when it is back."""
        try:
            action()
        except (NotSent, NoReplyError) as error:
            if self._reachable:
                logger.warning("cannot send counts to Redis, keeping them in memory: %s", error)
            self._reachable = False
            return error
        else:
            if not self._reachable:
                logger.info("sending counts to Redis again")
            self._reachable = True
            return None
