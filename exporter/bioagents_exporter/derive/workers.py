"""What each worker says of itself.

The numbers of a missing worker are no longer true, so they end with its silence; who it was and when it was
last heard of stays for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bioagents_exporter.catalogue import workers as m
from bioagents_exporter.derive.family import Family, Key

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View
    from bioagents_exporter.read.snapshot import Worker
    from bioagents_worker.wire import Identity

_LISTED_QUEUES: Final = 16  # in one label value


class InfoKeys:
    """The keys of ``worker_info``, kept while the worker is known: they never change."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[Identity, Key]] = {}

    def of(self, workers: list[Worker]) -> list[Key]:
        """One key for each worker; all others are forgotten."""
        known, self._keys = self._keys, {}
        for worker in workers:
            entry = known.get(worker.id)
            if entry is None or entry[0] is not worker.identity:
                entry = (worker.identity, _info_key(worker))
            self._keys[worker.id] = entry
        return [key for _, key in self._keys.values()]


def families(view: View) -> Iterator[Family]:
    """Of all workers or, in a sidecar, of those on its own host."""
    alive, missing = _shown(view, view.roll.alive), _shown(view, view.roll.missing)
    known = alive + missing
    yield Family(m.INFO, view.info_keys.of(known), [1] * len(known))
    yield Family(m.LAST_HEARTBEAT, [(w.id,) for w in known], [w.seen for w in known])
    yield from _of_the_living(alive)


def _of_the_living(alive: list[Worker]) -> Iterator[Family]:
    keys: list[Key] = [(w.id,) for w in alive]
    yield Family(m.SLOTS, keys, [0 if w.state.draining else w.state.threads for w in alive])
    yield Family(m.THREADS, keys, [w.identity.threads for w in alive])
    yield Family(m.CONSUMER_THREADS, keys, [w.state.consumers for w in alive])
    yield Family(m.RUNNING, keys, [sum(w.state.running.values()) if w.state.running else 0 for w in alive])
    yield Family(m.MEMORY, keys, [w.state.rss for w in alive])
    yield _memory_limit(alive, keys)
    yield Family(m.CPU, keys, [w.state.cpu for w in alive])
    yield Family(m.JOBS, keys, [w.state.jobs for w in alive])
    yield Family(m.START_TIME, keys, [w.identity.start for w in alive])
    yield Family(m.CLOCK_SKEW, keys, [w.state.skew for w in alive])
    yield Family(m.FLUSH_AGE, keys, [w.state.flush_age for w in alive])


def _memory_limit(alive: list[Worker], keys: list[Key]) -> Family:
    limits = [w.state.limit for w in alive]
    known = [(key, limit) for key, limit in zip(keys, limits, strict=True) if limit is not None]
    if len(known) == len(keys):  # the same list of keys renders faster
        return Family(m.MEMORY_LIMIT, keys, [limit for _, limit in known])
    return Family(m.MEMORY_LIMIT, [key for key, _ in known], [limit for _, limit in known])


def _shown(view: View, workers: list[Worker]) -> list[Worker]:
    if view.settings.collect_workers != "host":
        return workers
    return [w for w in workers if w.identity.host == view.settings.host]


def _info_key(worker: Worker) -> Key:
    identity = worker.identity
    return (
        worker.id,
        identity.host,
        str(identity.pid),
        _listed(identity.queues),
        identity.version,
        identity.dramatiq,
        identity.python,
        identity.monitor,
        str(identity.threads),
    )


def _listed(queues: tuple[str, ...]) -> str:
    """Bounded: a worker may consume a thousand queues."""
    more = len(queues) - _LISTED_QUEUES
    return ",".join(queues[:_LISTED_QUEUES]) + (f",+{more} more" if more > 0 else "")
