"""The thread that adds up events and sends the counts to Redis."""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
import uuid
from typing import Any, Final

from dramatiq.brokers.redis import RedisBroker

from bioagents_worker._calls import Calls
from bioagents_worker._events import Recorder
from bioagents_worker._heartbeat import Heartbeat
from bioagents_worker._link import Link
from bioagents_worker._sweep import PERIOD, Sweep
from bioagents_worker._tally import Increments, Tally
from bioagents_worker._transport import NotSent, Request, Transport
from bioagents_worker._workers import Caller, Workers
from bioagents_worker.wire import OTHER, WHOLE_FLEET, Keys, boots_field, counter_field, errors_field

#: Calls per second of a whole fleet, about. A call costs an otherwise idle Redis some 130 µs of CPU
#: (``benchmarks/run.py redis-cpu``), so this many use less than 5 % of a core.
FLEET_CALLS: Final = 300
#: Seconds between two heartbeats of a worker with no new counts.
IDLE: Final = 5.0
#: Seconds to wait after a call without a reply, and after one with which a worker signs off.
_RETRY: Final = 1.0
_RETRY_SOON: Final = 0.2
#: Events are added up at least this often (seconds), even if the size of the fleet allows fewer calls.
_MAX_TICK: Final = 1.0
#: A call may come this number of seconds too soon: a wait may end a little early, and the next one is long.
_EARLY: Final = 0.001
#: Seconds between two looks of :meth:`Flusher.end_worker`.
_POLL: Final = 0.01
#: Attempts remembered for :meth:`Sweep.claim`.
_MAX_STARTED: Final = 1_000
#: Hosts with a label of their own in the fleet's count of starts.
_MAX_HOSTS: Final = 1_000

#: Calls in a row: one that finds its connection closed, one that learns of a new epoch, one with the counts.
_CALLS: Final = 3


def clock() -> float:
    """Monotonic seconds that include the time in which the host sleeps, if the system has such a clock."""
    try:
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    except OSError:  # a sandbox may refuse it
        return time.monotonic()


class Flusher:
    """Sends the counts of this process and the heartbeats of its Workers.

    Everything but :meth:`become_worker`, :meth:`drain`, :meth:`end_worker` and :meth:`stop` belongs to the
    flusher's thread.
    """

    def __init__(self, broker: RedisBroker, recorder: Recorder, tally: Tally, *, min_interval: float) -> None:
        """``min_interval``: shortest time between two calls, in seconds."""
        self.id = uuid.uuid4().hex
        self._recorder, self._tally, self._failures = recorder, tally, tally.failures
        self._min_interval = min_interval
        self._keys = keys = Keys(broker.namespace)
        self._link = Link(broker.client, keys)
        self._transport = Transport(clock(), self._markers)
        self._actors, self._marked = broker.actors, list[Any]()
        self._workers = Workers(self.id, tally.failures)
        self._sweep = Sweep(self._link, keys, self._workers)
        self._calls = Calls(self._link, tally.failures)
        self._urgent = False  # the next heartbeat must not wait until it is due
        self._signed_off = False  # the last call of this process was its sign-off
        self._waited = False  # for the sign-off of a Worker
        self._interval, self._announced, self._fleet = min_interval, IDLE, 1
        self._last_call = self._last_sweep = float("-inf")
        self._waiting_since: float | None = None
        self._wake, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="bioagents-flusher", daemon=True)

    def start(self) -> None:
        """Start the thread; every flusher must be stopped."""
        self._thread.start()

    def become_worker(self, heartbeat: Heartbeat) -> None:
        """From now on the calls of this process carry this heartbeat too."""
        self._workers.add(heartbeat)

    def drain(self, worker: Any) -> None:  # noqa: ANN401 - untyped in dramatiq 1
        """Report without delay that this Worker accepts no more jobs."""
        beat = self._workers.of(worker)
        if beat is not None:
            beat.draining = self._urgent = True

    def end_worker(self, worker: Any, timeout: float) -> None:  # noqa: ANN401 - as drain
        """Send all counts and sign off this Worker within ``timeout`` seconds; the process goes on."""
        beat = self._workers.of(worker)
        if beat is None:
            return
        deadline = clock() + timeout
        beat.ended = True
        self._wake.set()
        while self._workers.of(worker) and not self._calls.denied and clock() < deadline:
            time.sleep(_POLL)
        self._waited = True

    def stop(self, timeout: float) -> None:
        """Send the last counts and sign off within ``timeout`` seconds; called once, by another thread."""
        if self._waited and self._workers.ending:
            timeout = 0.0  # a Worker has waited for the same, without an answer
        deadline = clock() + timeout
        self._stopped = True
        self._wake.set()
        if self._thread.ident is not None:  # it was started
            self._thread.join(timeout)
        if self._thread.is_alive():
            return  # it waits for Redis: its last counts are lost, as those of a killed worker
        while not self._sign_off() and not self._calls.denied and clock() < deadline:
            time.sleep(min(_RETRY_SOON, timeout))
        self._link.close()

    def step(self) -> None:
        """Add up events, and call Redis if it is time."""
        self._collect()
        now = clock()
        if self._due(now):
            self._call(now)
        # A producer sweeps if it may call less often than it would, perhaps for callers that are gone.
        slowed = self._interval > 2 * self._min_interval
        if (self._workers or slowed) and self._calls.reachable and now - self._last_sweep >= PERIOD:
            self._last_sweep = now + random.uniform(0, 1)  # noqa: S311 - spreads load, keeps no secret
            self._calls.optionally("sweep", self._sweep_now)

    def _sweep_now(self) -> None:
        before = self._sweep.silent
        self._sweep.run(self._calls.now_us, self._interval)
        if self._sweep.silent - before > self._fleet / 2:
            self._interval, self._urgent = self._min_interval, True  # the next call learns the new size

    def _run(self) -> None:
        while not self._stopped:  # the first step at once: a script may end soon after its first enqueue
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - the next events must still be counted
                self._failures.add("flush", error, f"flush failed with {type(error).__name__}")
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        """Seconds to the next step: until a call is allowed, and short from then on."""
        allowed_in = self._last_call + self._interval - clock()
        if self._workers.ending:
            allowed_in = 0.0 if self._calls.reachable else _RETRY_SOON
        if not (self._transport.waiting and self._calls.reachable and allowed_in > 0):
            allowed_in = max(allowed_in, self._min_interval / 2)
        return min(allowed_in, _MAX_TICK)

    def _due(self, now: float) -> bool:
        since = now - self._last_call
        if self._workers.ending:
            return self._calls.reachable or since >= _RETRY_SOON
        if not self._calls.reachable:
            return since >= max(_RETRY, self._interval)
        if (self._transport.waiting or self._urgent) and since >= self._interval - _EARLY:
            return True
        # Not much later than announced, even if the fleet has grown since: the worker would seem missing.
        return bool(self._workers) and since >= min(max(IDLE, self._interval), 2 * self._announced)

    def _collect(self) -> None:
        offset = time.time_ns() - time.monotonic_ns()
        for log, events, ended in self._recorder.drain():
            self._tally.add(log, events, ended=ended, wall_minus_monotonic_ns=offset)
        self._claim()
        if self._transport.epoch and list(self._actors.values()) != self._marked:
            self._transport.add(self._markers())  # an actor was declared late
        for _ in range(self._workers.take_boots()):
            self._tally.inc(WHOLE_FLEET, boots_field(self._boot_host()))
        self._take()

    def _take(self) -> None:
        """Pass the new counts and errors to the transport."""
        for cause, n in self._failures.take().items():
            self._tally.inc(WHOLE_FLEET, errors_field(cause), n)
        counts = self._tally.take()
        if counts:
            self._transport.add(counts)
            if self._waiting_since is None:
                self._waiting_since = clock()

    def _boot_host(self) -> str:
        """The name of this host; ``(other)`` without one, or if the fleet has many: pods have new names."""
        try:
            host = socket.gethostname()
        except Exception as error:  # noqa: BLE001 - the start must be counted
            self._failures.add("host", error, "cannot read the name of this host", level=logging.WARNING)
            return OTHER
        totals, many = self._keys.totals(WHOLE_FLEET), []

        def look() -> None:
            known = self._link.command("HEXISTS", totals, boots_field(host))
            many.append(not known and self._link.command("HLEN", totals) >= _MAX_HOSTS)

        self._calls.optionally("host", look)
        return OTHER if any(many) else host

    def _markers(self) -> Increments:
        """Zeros with which the series of every declared actor start."""
        self._marked = list(self._actors.values())
        markers: Increments = {}
        for actor in self._marked:
            markers.setdefault(actor.queue_name, {})[counter_field("processed", actor.actor_name)] = 0
        return markers

    def _claim(self) -> None:
        started = self._tally.started
        if not self._sweep.watching or not self._calls.reachable:
            del started[:-_MAX_STARTED]
            return
        if started:
            claimed: list[Any] = []
            attempts = [self._tally.attempt(start) for start in started]
            self._calls.optionally("redelivery", lambda: claimed.extend(self._sweep.claim(attempts)))
            for attempt in claimed:
                self._tally.inc(attempt.queue, counter_field("redelivered", attempt.actor))
            started.clear()

    def _call(self, now: float, *, leaving: bool = False) -> bool:
        """Send the counts, and a heartbeat or a sign-off for each Worker; whether all of it has arrived.

        ``leaving``: the process ends.
        """
        age = 0.0 if self._waiting_since is None else now - self._waiting_since
        self._announced = max(IDLE, self._interval)
        first, *others = self._workers.callers(
            leaving=leaving, interval=self._announced, skew=self._calls.skew, flush_age=age
        )
        self._urgent = False
        self._take()  # a reading that failed is counted with the heartbeat that lacks it
        for _ in range(_CALLS):
            reply = self._transport.call(now, lambda request: self._calls.flush(request, first))
            # Counts still wait after a reply that has a new epoch.
            if not (self._calls.idle_closed or (reply is not None and self._transport.waiting)):
                break
        self._last_call = clock()
        if reply is None:
            return False
        if not self._transport.waiting:
            self._waiting_since = None
            self._done(first)
        self._fleet = reply.fleet
        # A jitter, so that workers that start together do not stay in step.
        most = self._min_interval * random.uniform(0.9, 1.0)  # noqa: S311 - as above
        self._interval = max(most, reply.fleet / FLEET_CALLS * random.uniform(0.9, 1.1))  # noqa: S311
        answered = [self._send_beat(reply.epoch, caller) for caller in others]
        return all(answered) and not self._transport.waiting

    def _send_beat(self, epoch: int, caller: Caller) -> bool:
        """The call of a further Worker, which carries no counts; whether it was answered."""
        try:
            answered = self._calls.flush(Request(epoch, 0, 0, {}), caller) is not None
        except NotSent:
            return False
        if answered:
            self._done(caller)
        return answered

    def _done(self, caller: Caller) -> None:
        """Note that a call was answered, and has taken all counts with it."""
        if caller.id == self.id:
            self._signed_off = caller.kind == "gone"
        if caller.kind == "gone":
            self._workers.gone(caller.id)

    def _sign_off(self) -> bool:
        self._collect()
        self._workers.end()
        idle = self._signed_off and not self._workers and not self._transport.waiting
        return idle or self._call(clock(), leaving=True)
