"""The wire format: what a worker writes to Redis and an exporter reads, version by version.

Keys, all in one hash slot (``P`` is :attr:`Keys.prefix`):

============== ====== ==================================================================
``Pseqs``      hash   ``__epoch``, ``__server``, one ``q:<queue>`` mark per totals hash
                      of this epoch, and caller → last applied sequence number
``Pbeats``     hash   worker → heartbeat (see :func:`encode_beat`)
``Pproducers`` hash   producer → Redis time of its last call in µs
``Pgone``      hash   caller that said goodbye → Redis time in µs, for the reaper
``Pqueues``    set    every queue that ever had a total
``Ptotals:Q``  hash   totals of queue Q; ``Ptotals:`` (the empty name) is the fleet's own
``Plost``      hash   message id → the missing worker that was running it; ``worker:<id>``
                      → its last heartbeat in µs, for each missing worker noticed
``Psweep``     string lock with a lifetime: who looks for missing workers
============== ====== ==================================================================

Fields of a totals hash, all integers; ``<actor>`` is last but for what follows it:

- ``__epoch``
- ``<counter>|<actor>`` for each of :data:`COUNTERS`
- ``failures|<actor>|<exception>``
- ``duration|<actor>|<i>`` and ``wait|<actor>|<i>``: observations in bucket *i* alone (not
  cumulative), *i* an index of :data:`BUCKETS`, ``len(BUCKETS)`` meaning +Inf
- ``duration_us|<actor>`` and ``wait_us|<actor>``: sums in microseconds
- in the fleet's own hash: ``boots|<host>``, ``dropped|``, ``errors|``

``processed|<actor>`` exists, at 0, from the moment a worker or producer that declares the actor first
calls; the exporter publishes all other series of that actor from then on, at 0 where a field is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

WIRE_VERSION: Final = 1

#: Upper bounds of the duration and wait histograms in seconds; a part of the wire version.
BUCKETS: Final[tuple[float, ...]] = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
    300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0,
)  # fmt: skip

#: Counters of a totals hash by queue and actor.
COUNTERS: Final = (
    "enqueued", "processed", "succeeded", "retries", "dead", "skipped", "redelivered",
)  # fmt: skip

#: The queue name under which the fleet's own totals are kept (no Dramatiq queue has an empty name).
FLEET: Final = ""

#: The message option with the wall-clock time in ms at which the job became ready to run.
#: It also marks a job as counted at its first enqueue.
READY_OPTION: Final = "bioagents_ready"

#: Actor label of messages whose actor is not declared here.
UNKNOWN_ACTOR: Final = "(unknown)"

#: Label of what lies beyond a bound: an actor's further classes of exception, a fleet's further hosts.
OTHER: Final = "(other)"
#: Classes of exception that an actor shows.
MAX_EXCEPTIONS: Final = 30

#: A heartbeat lists so many running jobs, the oldest first, then the oldest one of each queue not among them.
MAX_LISTED_JOBS: Final = 64


#: One pair of braces round a part of it is a hash tag of Redis Cluster. Any others would be lost on the way
#: to our keys (:class:`Keys`), and the fleets ``ab`` and ``a{b`` would share them.
_NAMESPACE: Final = re.compile(r"X+|X*\{X+\}X*".replace("X", r"[^\s*?\[\]\\\x00-\x1f\x7f{}]"))


def parse_namespace(text: str) -> str:
    """``text`` itself if it is a namespace that we can watch; ValueError says what was expected."""
    if not _NAMESPACE.fullmatch(text):
        raise ValueError(
            "expected the namespace of RedisBroker: one word without blanks, *, ?, [, ] or \\, "
            "with no braces but one pair round a part of it"
        )
    return text


@dataclass(frozen=True, slots=True)
class Keys:
    """The Redis keys of one fleet and wire version.

    A namespace that carries a hash tag (Redis Cluster) lends us its own, so that our keys live in the slot of
    the broker's; any other is put in braces whole.
    """

    namespace: str
    version: int = WIRE_VERSION

    @property
    def prefix(self) -> str:
        """``bioagents:{<tag>}:v1:``; a namespace that is more than its tag follows the tag."""
        return _prefix(self.namespace, self.version)

    @property
    def seqs(self) -> str:
        """Hash: the epoch, its server, and each caller's sequence number."""
        return self.prefix + "seqs"

    @property
    def beats(self) -> str:
        """Hash: the last heartbeat of each worker."""
        return self.prefix + "beats"

    @property
    def producers(self) -> str:
        """Hash: when each producer called last."""
        return self.prefix + "producers"

    @property
    def gone(self) -> str:
        """Hash: when each caller said goodbye."""
        return self.prefix + "gone"

    @property
    def queues(self) -> str:
        """Set: the names of all queues with totals."""
        return self.prefix + "queues"

    @property
    def lost(self) -> str:
        """Hash: jobs that missing workers were running, and ``worker:<id>`` for each worker noticed."""
        return self.prefix + "lost"

    @property
    def sweep(self) -> str:
        """A lock with a lifetime: who holds it looks for missing workers and reaps the dead."""
        return self.prefix + "sweep"

    def totals(self, queue: str) -> str:
        """Hash: the totals of one queue, or of the fleet (:data:`FLEET`)."""
        return f"{self.prefix}totals:{queue}"


@cache
def _prefix(namespace: str, version: int) -> str:
    bare = namespace.replace("{", "").replace("}", "")
    tag = hash_tag(namespace)
    if tag is None or tag == bare:
        return f"bioagents:{{{bare}}}:v{version}:"
    return f"bioagents:{{{tag}}}:{bare}:v{version}:"


def hash_tag(name: str) -> str | None:
    """The part of a key that Redis Cluster hashes, or None without one (first ``{`` to the next ``}``)."""
    start = name.find("{")
    end = name.find("}", start + 1)
    return name[start + 1 : end] if start >= 0 and end > start + 1 else None


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes in the life of a worker."""

    host: str
    pid: int
    broker: str  # RedisBroker.broker_id: names the worker's acknowledgement sets
    queues: tuple[str, ...]  # consumed, canonical
    threads: int  # configured worker threads
    start: float  # unix seconds by the worker's clock
    dramatiq: str
    python: str
    monitor: str
    version: str = ""  # of the application, where JobMetrics was told


@dataclass(frozen=True, slots=True)
class RunningJob:
    """One attempt under way."""

    queue: str
    actor: str
    age: float  # seconds
    message_id: str


@dataclass(frozen=True, slots=True)
class State:
    """What a worker says of itself in one heartbeat."""

    draining: bool = False
    interval: float = 5.0  # seconds to the next heartbeat at the latest
    threads: int = 0  # living worker threads
    consumers: int = 0  # living consumer threads
    rss: int = 0  # bytes
    limit: int | None = None  # bytes; the cgroup's or, without one, the host's
    cpu: float = 0.0  # seconds, user and system
    jobs: int = 0  # attempts finished since boot
    running: Mapping[str, int] | None = None  # queue → attempts under way
    held: Mapping[str, int] | None = None  # queue → fetched and not acknowledged, by what the worker knows
    delayed: Mapping[str, int] | None = None  # queue → delayed jobs held in memory
    oldest: tuple[RunningJob, ...] = ()  # the oldest first, see MAX_LISTED_JOBS
    skew: float = 0.0  # worker's clock minus Redis' clock, seconds
    flush_age: float = 0.0  # age of the oldest count in this call, seconds


def encode_identity(identity: Identity) -> str:
    """One line of JSON."""
    return json.dumps(
        {name: getattr(identity, name) for name in Identity.__slots__}, separators=(",", ":"), sort_keys=True
    )


#: ``json.dumps`` with separators makes an encoder for every call.
_compact: Final = json.JSONEncoder(separators=(",", ":")).encode


def encode_state(state: State) -> str:
    """One line of JSON; what is zero or empty is left out."""
    pairs = {name: getattr(state, name) for name in State.__slots__}
    pairs["oldest"] = [(j.queue, j.actor, round(j.age, 3), j.message_id) for j in state.oldest]
    pairs["interval"] = round(state.interval, 3)
    return _compact({name: value for name, value in pairs.items() if value})


def encode_beat(identity: str, state: State) -> str:
    r"""``<identity>\n<state>``; the script puts ``<Redis time in µs>\n`` before it.

    Apart so that a reader parses the identity of a worker once, not with every heartbeat.
    """
    return f"{identity}\n{encode_state(state)}"
