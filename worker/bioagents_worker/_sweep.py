"""The sweep: one caller of the fleet marks missing workers, counts silent callers and removes dead ones.

A lock with a lifetime in Redis keeps others from doing the same; two sweeps at once do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bioagents_worker._link import Link
from bioagents_worker._tally import Attempt
from bioagents_worker._workers import Workers
from bioagents_worker.wire import SILENT, SWEPT, Keys, State, decode_state, is_alive, split_beat

#: Seconds between two sweeps of a fleet.
PERIOD: Final = 15.0
#: A caller is reaped after a day: more than the 12 h after which it would start over by itself.
REAP_AGE: Final = 24 * 3600.0
#: A caller without a call for this number of seconds, and for several intervals, does not count for the rate
#: of calls.
_SILENT: Final = 60.0
_SILENT_INTERVALS: Final = 3
_LOST_TTL: Final = 24 * 3600
_CHUNK: Final = 500
_MARK: Final = b"worker:"


class Sweep:
    """The sweeps of one process, all from the thread that owns ``link``."""

    def __init__(self, link: Link, keys: Keys, workers: Workers) -> None:
        self._link, self._keys, self._workers = link, keys, workers
        self.watching = False  # whether jobs of missing workers may be redelivered
        self.silent = 0  # callers that no longer call, by the last sweep of any process

    def run(self, now_us: int, interval: float) -> None:
        """Sweep, unless another process has done so recently.

        ``now_us`` is the time by Redis' clock, ``interval`` the seconds between two calls of a caller.

        Raises:
            NoReplyError: As Link.
        """
        if self._link.command("SET", self._keys.sweep, self._workers.process, "NX", "PX", int(PERIOD * 900)):
            try:
                self._mark_missing(now_us)
            finally:  # the dead must be reaped even if marking fails
                silent = self._reap(now_us, max(_SILENT, _SILENT_INTERVALS * interval))
                self._link.command("HSET", self._keys.seqs, SILENT, silent, SWEPT, now_us)
        self.watching = bool(self._link.command("EXISTS", self._keys.lost))
        self.silent = int(self._link.command("HGET", self._keys.seqs, SILENT) or 0)

    def claim(self, started: list[Attempt]) -> list[Attempt]:
        """The attempts whose job a missing worker was running; each job is claimed only once.

        Raises:
            NoReplyError: As Link.
        """
        if not started:
            return []
        ids = [attempt.redis_message_id for attempt in started]
        owners = self._link.command("HMGET", self._keys.lost, *ids)
        ours = {name.encode() for name in self._workers.names}
        return [
            attempt
            for attempt, owner in zip(started, owners, strict=True)
            if owner
            and owner not in ours
            and self._link.command("HDEL", self._keys.lost, attempt.redis_message_id)
        ]

    def _mark_missing(self, now_us: int) -> None:
        marked = dict(self._scan(self._keys.lost))
        known = set()
        for worker, stamp_us, state in self._beats():
            known.add(worker)
            mark = _MARK + worker
            if is_alive((now_us - stamp_us) / 1e6, state.interval):
                if mark in marked:  # it is back, and may go missing again
                    self._link.command("HDEL", self._keys.lost, mark)
            elif mark not in marked:
                jobs = (part for job in state.oldest for part in (job.redis_message_id, worker))
                self._link.command("HSET", self._keys.lost, mark, stamp_us, *jobs)
                self._link.command("EXPIRE", self._keys.lost, _LOST_TTL)
        # Each missing worker renews the lifetime of the hash, so it may never expire.
        old = [field for field, value in marked.items() if _owner(field, value) not in known]
        for i in range(0, len(old), _CHUNK):
            self._link.command("HDEL", self._keys.lost, *old[i : i + _CHUNK])

    def _reap(self, now_us: int, quiet: float) -> int:
        """Remove the dead; return how many other callers have been silent for ``quiet`` seconds."""
        silent = self._reap_from(self._keys.beats, now_us, quiet)
        silent += self._reap_from(self._keys.producers, now_us, quiet)
        self._reap_from(self._keys.gone, now_us, quiet)
        return silent

    def _reap_from(self, key: str, now_us: int, quiet: float) -> int:
        ages = {caller: (now_us - _stamp(value)) / 1e6 for caller, value in self._scan(key)}
        old = [caller for caller, age in ages.items() if age > REAP_AGE]
        chunks = [old[i : i + _CHUNK] for i in range(0, len(old), _CHUNK)]
        reaped = sum(self._link.reap(chunk, REAP_AGE) for chunk in chunks)
        return sum(age > quiet for age in ages.values()) - reaped

    def _beats(self) -> Iterator[tuple[bytes, int, State]]:
        """Each worker with the Redis time of its heartbeat in µs and its state."""
        for worker, value in self._scan(self._keys.beats):
            try:
                stamp_us, _, state = split_beat(value)
                yield worker, stamp_us, decode_state(state)
            except ValueError:
                continue  # the exporter counts heartbeats that cannot be read

    def _scan(self, key: str) -> Iterator[tuple[bytes, bytes]]:
        """Fields and values as bytes: not everything in Redis is UTF-8."""
        cursor = b"0"
        while True:
            cursor, flat = self._link.command("HSCAN", key, cursor, "COUNT", _CHUNK)
            yield from zip(flat[::2], flat[1::2], strict=True)
            if cursor in (b"0", 0):
                return


def _owner(field: bytes, value: bytes) -> bytes:
    """The missing worker of one field of ``lost``."""
    return field.removeprefix(_MARK) if field.startswith(_MARK) else value


def _stamp(value: bytes) -> int:
    """Redis time in µs; 0 if there is none, so that the entry is reaped."""
    try:
        return split_beat(value)[0]
    except ValueError:
        return 0
