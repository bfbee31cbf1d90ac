"""What one worker of the fleet does for all now and then: notice the missing, forget the dead.

A lock with a lifetime in Redis lets one worker at a time do it; nothing is wrong if two do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bioagents_worker._link import Link
from bioagents_worker._tally import Attempt
from bioagents_worker.wire import Keys, State, decode_state, is_alive, split_beat

#: Seconds between two sweeps of a fleet.
PERIOD: Final = 15.0
#: A caller is reaped after a day: always more than the 12 h after which it would begin anew by itself.
REAP_AGE: Final = 24 * 3600.0
_LOST_TTL: Final = 24 * 3600
_CHUNK: Final = 500
_MARK: Final = b"worker:"


class Sweep:
    """Bound to one worker; its link belongs to the caller's thread."""

    def __init__(self, link: Link, keys: Keys, me: str) -> None:
        self._link, self._keys, self._me = link, keys, me
        self.watching = False  # whether jobs of missing workers may turn up again

    def run(self, now_us: int) -> None:
        """One sweep, if no other worker made one lately; ``now_us`` is Redis' clock.

        Raises:
            redis.RedisError, OSError: As Link.
        """
        if self._link.command("SET", self._keys.sweep, self._me, "NX", "PX", int(PERIOD * 900)):
            try:
                self._mark_missing(now_us)
            finally:  # what cannot be marked must not live for ever
                self._reap(now_us)
        self.watching = bool(self._link.command("EXISTS", self._keys.lost))

    def claim(self, started: list[Attempt]) -> list[Attempt]:
        """Those of these attempts whose job a missing worker was running; each job is claimed once.

        Raises:
            redis.RedisError, OSError: As Link.
        """
        if not started:
            return []
        ids = [attempt.message_id for attempt in started]
        owners = self._link.command("HMGET", self._keys.lost, *ids)
        me = self._me.encode()
        return [
            attempt
            for attempt, owner in zip(started, owners, strict=True)
            if owner and owner != me and self._link.command("HDEL", self._keys.lost, attempt.message_id)
        ]

    def _mark_missing(self, now_us: int) -> None:
        marked = dict(self._scan(self._keys.lost))
        known = set()
        for worker, stamp_us, state in self._beats():
            known.add(worker)
            mark = _MARK + worker
            if is_alive((now_us - stamp_us) / 1e6, state.interval):
                if mark in marked:  # it may go missing again
                    self._link.command("HDEL", self._keys.lost, mark)
            elif mark not in marked:
                jobs = (part for job in state.oldest for part in (job.message_id, worker))
                self._link.command("HSET", self._keys.lost, mark, stamp_us, *jobs)
                self._link.command("EXPIRE", self._keys.lost, _LOST_TTL)
        # The lifetime begins anew with each worker that goes missing, so the hash itself may never end.
        old = [field for field, value in marked.items() if _owner(field, value) not in known]
        for i in range(0, len(old), _CHUNK):
            self._link.command("HDEL", self._keys.lost, *old[i : i + _CHUNK])

    def _reap(self, now_us: int) -> None:
        oldest_us = now_us - int(REAP_AGE * 1e6)
        for key in (self._keys.beats, self._keys.producers, self._keys.gone):
            old = [caller for caller, value in self._scan(key) if _stamp(value) < oldest_us]
            for i in range(0, len(old), _CHUNK):
                self._link.reap(old[i : i + _CHUNK], REAP_AGE)

    def _beats(self) -> Iterator[tuple[bytes, int, State]]:
        """Each worker with the Redis time of its heartbeat in µs and its state."""
        for worker, value in self._scan(self._keys.beats):
            try:
                stamp_us, _, state = split_beat(value)
                yield worker, stamp_us, decode_state(state)
            except ValueError:
                continue  # the exporter counts heartbeats that cannot be read

    def _scan(self, key: str) -> Iterator[tuple[bytes, bytes]]:
        """Fields and values as they stand there: not all that is in Redis is UTF-8."""
        cursor = b"0"
        while True:
            cursor, flat = self._link.command("HSCAN", key, cursor, "COUNT", _CHUNK)
            yield from zip(flat[::2], flat[1::2], strict=True)
            if cursor in (b"0", 0):
                return


def _owner(field: bytes, value: bytes) -> bytes:
    """The missing worker for which a field of the lost stands."""
    return field.removeprefix(_MARK) if field.startswith(_MARK) else value


def _stamp(value: bytes) -> int:
    """Redis time in µs; 0, so that it is reaped, if there is none."""
    try:
        return split_beat(value)[0]
    except ValueError:
        return 0
