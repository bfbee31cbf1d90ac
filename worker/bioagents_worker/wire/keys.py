"""The Redis keys of one fleet.

All keys are in one hash slot (``P`` is :attr:`Keys.prefix`):

============== ====== =================================================================================
``Pseqs``      hash   ``__epoch``, ``__server``, one ``q:<queue>`` mark for each totals hash of this
                      epoch, and caller → last applied sequence number; ``__silent`` and ``__swept``: how
                      many entries of beats and producers are of callers that no longer call, and since
                      when (Redis time in µs) this is known
``Pbeats``     hash   worker → heartbeat (see :func:`~bioagents_worker.wire.heartbeat.encode_beat`)
``Pproducers`` hash   producer → Redis time of its last call in µs
``Pgone``      hash   caller that shut down cleanly → Redis time in µs; read by the reaper
``Pqueues``    set    every queue that ever had a total
``Ptotals:Q``  hash   totals of queue Q; ``Ptotals:`` (the empty name) holds the fleet's own totals
``Plost``      hash   Redis message id → the missing worker that was running it; ``worker:<id>`` → its last
                      heartbeat in µs, for each missing worker that a sweep found
``Psweep``     string lock with a lifetime: its holder looks for missing workers
============== ====== =================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

WIRE_VERSION: Final = 1

#: One pair of braces round a part of it is a hash tag of Redis Cluster. :class:`Keys` drops braces, so with
#: any others the fleets ``ab`` and ``a{b`` would share their keys.
_NAMESPACE: Final = re.compile(r"X+|X*\{X+\}X*".replace("X", r"[^\s*?\[\]\\\x00-\x1f\x7f{}]"))


def parse_namespace(text: str) -> str:
    """``text`` itself if it is a namespace that can be monitored; ValueError says what was expected."""
    if not _NAMESPACE.fullmatch(text):
        raise ValueError(
            "expected the namespace of RedisBroker: one word without blanks, *, ?, [, ] or \\, "
            "with no braces but one pair round a part of it"
        )
    return text


def hash_tag(name: str) -> str | None:
    """The part of a key that Redis Cluster hashes (first ``{`` to the next ``}``), or None."""
    start = name.find("{")
    end = name.find("}", start + 1)
    return name[start + 1 : end] if start >= 0 and end > start + 1 else None


@dataclass(frozen=True, slots=True)
class Keys:
    """The Redis keys of one fleet and wire version.

    If the namespace has a hash tag (Redis Cluster), the keys use it too, so that they are in the slot of the
    broker's keys; otherwise the whole namespace is the hash tag.
    """

    namespace: str
    version: int = WIRE_VERSION

    @property
    def prefix(self) -> str:
        """``bioagents:{<tag>}:v1:``; a namespace that is more than its tag follows the tag."""
        return _prefix(self.namespace, self.version)

    @property
    def seqs(self) -> str:
        """Hash: the epoch, its server, and the sequence number of each caller."""
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
        """Hash: when each caller shut down cleanly."""
        return self.prefix + "gone"

    @property
    def queues(self) -> str:
        """Set: the names of all queues with totals."""
        return self.prefix + "queues"

    @property
    def lost(self) -> str:
        """Hash: the jobs that missing workers were running, and ``worker:<id>`` for each missing worker."""
        return self.prefix + "lost"

    @property
    def sweep(self) -> str:
        """A lock with a lifetime: its holder looks for missing workers and reaps callers dead for a day."""
        return self.prefix + "sweep"

    def totals(self, queue: str) -> str:
        """Hash: the totals of one queue, or of the fleet (:data:`~bioagents_worker.wire.WHOLE_FLEET`)."""
        return f"{self.prefix}totals:{queue}"


@cache
def _prefix(namespace: str, version: int) -> str:
    bare = namespace.replace("{", "").replace("}", "")
    tag = hash_tag(namespace)
    if tag is None or tag == bare:
        return f"bioagents:{{{bare}}}:v{version}:"
    return f"bioagents:{{{tag}}}:{bare}:v{version}:"
