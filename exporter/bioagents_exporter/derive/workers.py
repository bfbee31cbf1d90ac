"""What each worker says of itself.

The numbers of a missing worker are no longer true, so they end with its silence; who it was and when it was
last heard of stays for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from bioagents_exporter.catalogue import workers as m
from bioagents_exporter.derive.family import Family, Key, known

if TYPE_CHECKING:
    from bioagents_exporter.derive.view import View
    from bioagents_exporter.read.snapshot import Worker
    from bioagents_worker.wire import Identity

_LISTED_QUEUES: Final = 16  # in one label value


class _Keys(NamedTuple):
    """Of one worker."""

    identity: Identity
    own: Key
    info: Key


class WorkerKeys:
    """The keys of workers, kept while they are known: they never change."""

    def __init__(self) -> None:
        self._keys: dict[str, _Keys] = {}

    def of(self, workers: list[Worker]) -> list[_Keys]:
        """The keys of each worker; all others are forgotten."""
        before, self._keys = self._keys, {}
        for worker in workers:
            keys = before.get(worker.id)
            if keys is None or keys.identity is not worker.identity:
                keys = _Keys(worker.identity, (worker.id,), _info_key(worker))
            self._keys[worker.id] = keys
        return list(self._keys.values())


def families(view: View) -> Iterator[Family]:
    """Of all workers or, in a sidecar, of those on its own host."""
    alive, missing = _shown(view, view.roll.alive), _shown(view, view.roll.missing)
    everyone = alive + missing
    keys = view.worker_keys.of(everyone)
    own = [key.own for key in keys]
    yield Family(m.INFO, [key.info for key in keys], [1] * len(keys))
    yield Family(m.LAST_HEARTBEAT, own, [w.seen for w in everyone])
    yield from _of_the_living(alive, own[: len(alive)] if missing else own)


def _of_the_living(alive: list[Worker], keys: list[Key]) -> Iterator[Family]:
    yield Family(m.SLOTS, keys, [0 if w.state.draining else w.state.threads for w in alive])
    yield Family(m.THREADS, keys, [w.identity.threads for w in alive])
    yield Family(m.CONSUMER_THREADS, keys, [w.state.consumers for w in alive])
    yield Family(m.RUNNING, keys, [sum(w.state.running.values()) if w.state.running else 0 for w in alive])
    yield Family(m.MEMORY, keys, [w.state.rss for w in alive])
    yield known(m.MEMORY_LIMIT, keys, (w.state.limit for w in alive))
    yield Family(m.CPU, keys, [w.state.cpu for w in alive])
    yield Family(m.JOBS, keys, [w.state.jobs for w in alive])
    yield Family(m.START_TIME, keys, [w.identity.start for w in alive])
    yield Family(m.CLOCK_SKEW, keys, [w.state.skew for w in alive])
    yield Family(m.FLUSH_AGE, keys, [w.state.flush_age for w in alive])


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
    """Bounded: a worker may consume a thousand queues. What is left out still tells two roles apart."""
    shown, rest = ",".join(queues[:_LISTED_QUEUES]), queues[_LISTED_QUEUES:]
    return f"{shown},+{len(rest)} more ({_digest(rest)})" if rest else shown


def _digest(names: tuple[str, ...]) -> str:
    """Eight letters that differ where the names do, in every copy of the exporter."""
    return sha256("\n".join(names).encode()).hexdigest()[:8]
