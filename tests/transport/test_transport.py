"""The worker's transport is compared with ``Worker`` of the specification, call by call."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bioagents_worker import _transport
from bioagents_worker._tally import Increments
from bioagents_worker._transport import NotSent, Request, Transport
from bioagents_worker.wire import WHOLE_FLEET
from transport.broken import VARIANTS, Broken, play
from transport.histories import HiddenRunId, History, Refusing
from transport.model import SILENT, Call, Cell, Reply, Store, Worker

SETTINGS = settings(
    max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)


def cells(counts: Increments) -> Counter[Cell]:
    """Increments in the model's terms."""
    return Counter({(queue, name): n for queue, fields in counts.items() for name, n in fields.items()})


class ForeignError(Exception):
    """An exception of a client that the transport does not know."""


class ComparedWorker(Worker):
    """The specified worker, and the real transport that counts the same and must make the same calls."""

    def __init__(self, name: str, store: Store, *, blind: bool = False) -> None:
        super().__init__(name, store, blind=blind)
        self.transport = Transport(self.clock.now, dict)
        self.asked: list[tuple[Call, Reply]] = []

    def count(self, cell: Cell, n: int = 1) -> None:
        """Count in both."""
        super().count(cell, n)
        self.transport.add({cell[0]: {cell[1]: n}})

    def call(self, fate: str = "ok") -> bool:
        """The specified worker calls, then the real transport."""
        self.asked.clear()
        store, flush = self.store, self.store.flush

        def listen(call: Call) -> Reply:
            reply = flush(call)
            self.asked.append((call, reply))
            return reply

        store.flush = listen  # type: ignore[method-assign]
        try:
            done = super().call(fate)
        finally:
            del store.flush
        with contextlib.suppress(ForeignError):
            self.transport.call(self.clock.now, lambda request: self.answer(request, fate))
        self.compare()
        return done

    def answer(self, request: Request, fate: str) -> _transport.Reply | None:
        """The reply to the specified worker, if the request is the same."""
        if fate == "refused":
            raise NotSent
        for call, reply in self.asked:
            assert (call.epoch, call.base, call.new) == (request.epoch, request.base, request.new)
            assert call.diffs == cells(request.counts)
            if fate == "ok":
                return _transport.Reply(reply.epoch, reply.stored, reply.fleet, self.store.micros())
        if self.transport.unanswered % 2:  # no reply, as None or as any exception
            raise ForeignError
        return None

    def compare(self) -> None:
        """Both have the same state."""
        transport = self.transport
        assert (transport.epoch, transport.acked) == (self.epoch, self.acked)
        assert (cells(transport.unsent), cells(transport.open)) == (self.unsent, self.open)


class ComparedInAllHistories(History):
    """Every worker is compared with the specification."""

    worker_class = ComparedWorker


class ComparedWithHiddenRunId(HiddenRunId):
    """The same with a hidden run_id."""

    worker_class = ComparedWorker


class ComparedWhileRefused(Refusing):
    """The same with refused connections."""

    worker_class = ComparedWorker


@pytest.mark.parametrize("machine", [ComparedInAllHistories, ComparedWithHiddenRunId, ComparedWhileRefused])
def test_worker_makes_the_calls_of_the_specification(machine: type[History]) -> None:
    """The same requests, and the same state after every reply, in 300 random histories each."""
    run_state_machine_as_test(machine, settings=SETTINGS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_worker_makes_the_calls_where_each_rule_is_needed(variant: type[Broken]) -> None:
    """In the history that shows the need of a rule, which random ones seldom do."""
    play((ComparedInAllHistories if variant.shows_run_id else ComparedWithHiddenRunId)(), variant.steps)


def test_worker_starts_over_after_the_specified_time() -> None:
    """A caller starts over after half the age at which it may be reaped."""
    assert _transport.SILENT == SILENT


def answer(epoch: int, stored: int) -> _transport.Reply:
    """A reply in a small fleet."""
    return _transport.Reply(epoch, stored, 1, 0)


def test_zeros_are_sent_at_the_start_of_each_epoch() -> None:
    """The series of this worker exist before anything happens."""
    zeros: Increments = {"chat": {"processed|a": 0}}
    transport = Transport(0.0, lambda: {queue: dict(fields) for queue, fields in zeros.items()})
    transport.call(1.0, lambda _: answer(7, 0))
    sent: list[Increments] = []

    def applied(request: Request) -> _transport.Reply:
        sent.append(request.counts)
        return answer(request.epoch, request.new)

    transport.call(2.0, applied)
    transport.call(3.0, lambda _: answer(8, 0))
    transport.call(4.0, applied)
    assert sent == [zeros, zeros]


def test_dropped_events_are_reported() -> None:
    """The attempts and enqueued jobs of a request whose outcome is unknown are counted as dropped."""
    transport = Transport(0.0, dict)
    transport.call(1.0, lambda _: answer(7, 0))
    transport.add({"chat": {"processed|a": 3, "wait_us|a": 99, "enqueued|a": 2}})
    assert transport.call(2.0, lambda _: None) is None
    transport.call(3.0, lambda _: answer(8, 0))
    assert transport.dropped == 5
    assert transport.unsent == {WHOLE_FLEET: {"dropped|": 5}}


def test_counts_that_were_not_sent_are_kept() -> None:
    """Without a connection nothing was sent, so a new epoch drops nothing."""
    transport = Transport(0.0, dict)
    transport.call(1.0, lambda _: answer(7, 0))
    counts = {"chat": {"processed|a": 3}}
    transport.add(counts)

    def refuse(_: Request) -> _transport.Reply:
        raise NotSent

    assert transport.call(2.0, refuse) is None
    transport.call(3.0, lambda _: answer(8, 0))
    assert transport.dropped == 0
    assert transport.unsent == counts
