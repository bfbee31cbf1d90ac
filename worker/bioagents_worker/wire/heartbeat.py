"""The heartbeat of a worker: encoded, decoded, and how old the last one may be.

A stored heartbeat has three lines: Redis time in µs (written by the script), then identity and state as JSON.
The identity is apart so that a reader parses it only when it changes, not with every heartbeat.

:class:`Identity`, :class:`State` and :class:`RunningJob` are the only lists of the fields. A reader that
checks values takes their bounds from the types :data:`Count`, :data:`Seconds` and :data:`Offset`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bioagents_worker.wire.message import RedisMessageId

#: A whole number from 0 to 2^63 - 1.
Count: TypeAlias = int
#: A number from 0 to 1e12.
Seconds: TypeAlias = float
#: A number of seconds from -1e12 to 1e12.
Offset: TypeAlias = float

#: The largest number of running jobs in a heartbeat: the oldest first, then the oldest of each other queue.
MAX_LISTED_JOBS: Final = 64

_MIN_SILENCE: Final = 15.0  # seconds
_SILENT_INTERVALS: Final = 3
_MAX_TIME_DIGITS: Final = len("1700000000000000") + 1  # of a Unix time in µs


#: What a worker reads for a heartbeat → the fields of the state that are unknown without it. Without the host
#: or the queues, the identity has the last ones that were read; without the jobs, all queues are `uncounted`.
READINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "host": (),
    "queues": (),
    "threads": ("threads",),
    "consumers": ("consumers",),
    "memory": ("rss",),
    "memory_limit": ("limit",),
    "cpu": ("cpu",),
    "held_jobs": (),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What seldom changes while a worker runs: a reader parses it again only when it does."""

    host: str
    pid: Count
    broker: str  # RedisBroker.broker_id: part of the names of the worker's acknowledgement sets
    queues: tuple[str, ...]  # consumed, canonical
    threads: Count  # configured worker threads
    start: Seconds  # Unix time by the worker's clock
    dramatiq: str
    python: str
    monitor: str
    version: str = ""  # of the application, if JobMetrics was given one


@dataclass(frozen=True, slots=True)
class RunningJob:
    """One attempt in progress."""

    queue: str
    actor: str
    age: Seconds
    redis_message_id: RedisMessageId


@dataclass(frozen=True, slots=True)
class State:
    """What a worker reports in one heartbeat."""

    draining: bool = False
    interval: Seconds = 5.0  # longest time to the next heartbeat
    threads: Count = 0  # living worker threads
    consumers: Count = 0  # living consumer threads
    rss: Count = 0  # bytes
    limit: Count | None = None  # bytes; the memory limit of the cgroup or, without one, the host's memory
    cpu: Seconds = 0.0  # user and system
    jobs: Count = 0  # attempts finished since the worker started
    running: Mapping[str, Count] | None = None  # queue → attempts in progress
    held: Mapping[str, Count] | None = None  # queue → jobs fetched and not acknowledged
    delayed: Mapping[str, Count] | None = None  # queue → delayed jobs in the worker's memory
    uncounted: tuple[str, ...] = ()  # queues of which it may hold more, and does not know how many
    oldest: tuple[RunningJob, ...] = ()  # the oldest first, see MAX_LISTED_JOBS
    skew: Offset = 0.0  # worker's clock minus Redis' clock
    flush_age: Seconds = 0.0  # age of the oldest count in this call
    unknown: tuple[str, ...] = ()  # fields that could not be read: their value here means nothing


def encode_identity(identity: Identity) -> str:
    """One line of JSON."""
    return json.dumps(
        {name: getattr(identity, name) for name in Identity.__slots__}, separators=(",", ":"), sort_keys=True
    )


#: ``json.dumps`` with separators makes an encoder for every call.
_compact: Final = json.JSONEncoder(separators=(",", ":")).encode


def _encode_state(state: State) -> str:
    """One line of JSON; what is zero or empty is left out."""
    pairs = {name: getattr(state, name) for name in State.__slots__}
    pairs["oldest"] = [(j.queue, j.actor, round(j.age, 3), j.redis_message_id) for j in state.oldest]
    pairs["interval"] = round(state.interval, 3)
    return _compact({name: value for name, value in pairs.items() if value})


def encode_beat(identity: str, state: State) -> str:
    r"""``<identity>\n<state>``; the script writes ``<Redis time in µs>\n`` before it."""
    return f"{identity}\n{_encode_state(state)}"


def split_beat(stored: bytes) -> tuple[int, bytes, bytes]:
    """Redis time in µs, identity and state of a stored heartbeat; ValueError if it has no time.

    The value of a producer or of a caller that shut down is a time alone: identity and state are then empty.
    """
    time, _, rest = stored.partition(b"\n")
    if not time.isdigit() or len(time) > _MAX_TIME_DIGITS:
        raise ValueError("no time in microseconds in the first line")
    identity, _, state = rest.partition(b"\n")
    return int(time), identity, state


def decode_state(encoded: bytes) -> State:
    """The state in a heartbeat; ValueError for anything else.

    Fields that are not known are ignored. Only the values that workers use are checked: ``interval`` and
    ``oldest``; an exporter, which publishes the others, checks each.
    """
    try:
        known = {name: value for name, value in json.loads(encoded).items() if name in State.__slots__}
        if "interval" in known:
            known["interval"] = float(known["interval"])
        for name in ("uncounted", "unknown"):
            known[name] = tuple(known.get(name, ()))
        known["oldest"] = tuple(_job(*job) for job in known.get("oldest", ()))
        return State(**known)
    except (AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no state of a worker: {error}") from error


def _job(queue: Any, actor: Any, age: Any, id_: Any, *_: Any) -> RunningJob:  # noqa: ANN401 - decoded JSON
    return RunningJob(str(queue), str(actor), float(age), RedisMessageId(str(id_)))


def missing_after(interval: Seconds) -> Seconds:
    """The age of its last heartbeat from which a worker with this interval is missing."""
    return max(_MIN_SILENCE, _SILENT_INTERVALS * interval)


def is_alive(age: Seconds, interval: Seconds) -> bool:
    """Whether a worker whose last heartbeat is ``age`` old is alive; otherwise it is missing."""
    return age < missing_after(interval)
