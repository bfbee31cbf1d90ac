"""The Redis that was read: whether its data can be trusted, and what it says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioagents_exporter.catalogue import redis as m
from bioagents_exporter.derive.family import Family, single
from bioagents_exporter.read.errors import Cause

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View
    from bioagents_exporter.read.server import Server
    from bioagents_exporter.read.snapshot import Snapshot


def trouble(snapshot: Snapshot) -> str:
    """Why nothing of this read may be published, in one line, or "".

    Redis could not be read; or what it would tell is not all of it yet; or it is a replica whose link to the
    primary is down, so that its data is of some time ago.
    """
    server = snapshot.server
    if server is None:
        return snapshot.failure or "Redis could not be read"
    if server.loading:
        return "Redis loads its data set"
    return "the replica's link to its primary is down" if server.link_up is False else ""


def causes(snapshot: Snapshot) -> Counter[str]:
    """What had to be left out, by cause; the reader has counted what it could not read."""
    found = Counter(snapshot.errors)
    server = snapshot.server
    if server is not None and server.loading:
        found[Cause.REDIS_LOADING] += 1
    elif server is not None and server.link_up is False:
        found[Cause.REDIS_REPLICA_STALE] += 1
    return found


def reach(snapshot: Snapshot) -> list[Family]:
    """Whether this copy reaches Redis; published by every copy, whatever happens."""
    found = [single(m.UP, 0 if trouble(snapshot) else 1)]
    if snapshot.server is not None:
        found.append(single(m.ROUND_TRIP, snapshot.round_trip))
        found += _replication(snapshot.server)
    return found


def _replication(server: Server) -> Iterator[Family]:
    if server.link_up is not None:
        yield single(m.REPLICA_LINK_UP, int(server.link_up))
    if server.lag is not None:
        yield single(m.REPLICA_LAG, server.lag)


def families(view: View) -> Iterator[Family]:
    """What INFO says."""
    server = view.server
    yield single(m.MEMORY_USED, server.memory_used)
    yield single(m.MEMORY_MAX, server.memory_max)
    yield single(m.EVICTED, server.evicted_keys)
    aof = "yes" if server.aof else "no"
    key = (server.version, server.software, server.role, server.mode, server.maxmemory_policy, aof)
    yield Family(m.INFO, [key], [1])
