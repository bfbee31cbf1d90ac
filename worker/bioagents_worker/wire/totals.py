"""The fields of the totals hashes: their names, built and parsed. All values are integers.

=============================== ========================================================================
``__epoch``                     the epoch to which the hash belongs
``<counter>|<actor>``           for each of :data:`COUNTERS`
``failures|<actor>|<class>``    failed attempts by class of exception
``duration|<actor>|<i>``        attempts in bucket *i* alone (not cumulative); *i* is an index of
                                :data:`BUCKETS`, and ``len(BUCKETS)`` is the bucket +Inf
``duration_us|<actor>``         sum in microseconds
``wait|<actor>|<i>``            as ``duration``
``wait_us|<actor>``             as ``duration_us``
``boots|<host>``                in the fleet's own hash: starts of workers
``dropped|``                    in the fleet's own hash: events whose delivery is unknown
``errors|<cause>``              in the fleet's own hash: errors of the middleware, see :data:`ERROR_CAUSES`
=============================== ========================================================================

``processed|<actor>`` exists, at 0, from the first call of a worker or producer that declares the actor. The
exporter then publishes all series of that actor; a field that does not exist is 0.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bioagents_worker.wire.heartbeat import READINGS

#: Upper bounds of the duration and wait histograms in seconds; part of the wire version.
BUCKETS: Final[tuple[float, ...]] = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
    300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0,
)  # fmt: skip

#: Counters by queue and actor.
COUNTERS: Final = (
    "enqueued", "processed", "succeeded", "retries", "dead", "skipped", "redelivered",
)  # fmt: skip

#: Histograms by queue and actor.
DURATION: Final = "duration"
WAIT: Final = "wait"
_FAILURES: Final = "failures"
_BOOTS: Final = "boots|"

#: Fields of a totals hash and of the sequences: the epoch, and the ``run_id`` of the server that began it.
EPOCH: Final = "__epoch"
SERVER: Final = "__server"
#: Fields of the sequences: callers that no longer call, and the Redis time in µs of the last sweep.
SILENT: Final = "__silent"
SWEPT: Final = "__swept"

#: A field of the fleet's own hash.
DROPPED: Final = "dropped|"
_ERRORS: Final = "errors|"
#: Where an error of the middleware occurs: in a hook, in adding up events, in a call of Redis that carries
#: counts or one that does not, or in a reading for the heartbeat.
ERROR_CAUSES: Final = ("hook", "events", "flush", "sweep", "redelivery", *READINGS)

#: The queue name of the fleet's own hash (no Dramatiq queue has an empty name).
WHOLE_FLEET: Final = ""
#: Actor label of messages whose actor is not declared in the process that counts them.
UNKNOWN_ACTOR: Final = "(unknown)"
#: Label of everything beyond a bound: further classes of exception of an actor, further hosts of a fleet.
OTHER: Final = "(other)"
#: Classes of exception of one actor that get a label of their own.
MAX_EXCEPTIONS: Final = 30

_SUM_KINDS: Final = {f"{DURATION}_us", f"{WAIT}_us"}
_SINGLE_KINDS: Final = _SUM_KINDS.union(COUNTERS)
_BUCKET_NAMES: Final = frozenset(str(i) for i in range(len(BUCKETS) + 1))


class ActorField(NamedTuple):
    """The parsed name of a field that belongs to one actor."""

    kind: str  # a counter, "failures", a histogram, or a histogram and "_us"
    actor: str
    detail: str = ""  # class of exception, or index of a bucket


def counter_field(counter: str, actor: str) -> str:
    """The field of one of :data:`COUNTERS`."""
    return f"{counter}|{actor}"


def failures_field(actor: str, exception: str) -> str:
    """The field of one class of exception; the class name holds no ``|``."""
    return f"{_FAILURES}|{actor}|{exception}"


def bucket_field(histogram: str, actor: str, index: int) -> str:
    """The field of one bucket of :data:`DURATION` or :data:`WAIT`."""
    return f"{histogram}|{actor}|{index}"


def sum_field(histogram: str, actor: str) -> str:
    """The field of the sum of :data:`DURATION` or :data:`WAIT`, in microseconds."""
    return f"{histogram}_us|{actor}"


def boots_field(host: str) -> str:
    """The field with the starts of workers on one host, in the fleet's own hash."""
    return f"{_BOOTS}{host}"


def errors_field(cause: str) -> str:
    """The field with the errors of one of :data:`ERROR_CAUSES`, in the fleet's own hash."""
    return f"{_ERRORS}{cause}"


def parse_actor_field(name: str) -> ActorField | None:
    """The parts of the name of an actor's field; None for any other. An actor's name may hold ``|``."""
    kind, _, rest = name.partition("|")
    if kind in _SINGLE_KINDS:
        return ActorField(kind, rest)
    actor, bar, detail = rest.rpartition("|")
    if bar and (kind == _FAILURES or (kind in {DURATION, WAIT} and detail in _BUCKET_NAMES)):
        return ActorField(kind, actor, detail)
    return None


def parse_boots_field(name: str) -> str | None:
    """The host of a boots field; None for any other field."""
    return name.removeprefix(_BOOTS) if name.startswith(_BOOTS) else None


def parse_errors_field(name: str) -> str | None:
    """The cause of an errors field, :data:`OTHER` for one that is not known; None for any other field."""
    if not name.startswith(_ERRORS):
        return None
    cause = name.removeprefix(_ERRORS)
    return cause if cause in ERROR_CAUSES else OTHER
