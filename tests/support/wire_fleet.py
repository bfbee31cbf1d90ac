"""Simulated workers: heartbeats and totals, written by the script of real workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Final

import redis

from bioagents_worker.wire import WHOLE_FLEET, Identity, Keys, State, encode_beat, encode_identity

IDENTITY: Final = Identity(
    host="worker-1",
    pid=4711,
    broker="b7a5c6f2-0000-4000-8000-000000000001",
    queues=("chat",),
    threads=8,
    start=1_764_000_000.5,
    dramatiq="2.2.1",
    python="3.11.7",
    monitor="0.1.0",
)


class WireFleet:
    """Calls the script as workers do, with a sequence for each worker."""

    def __init__(self, client: redis.Redis, namespace: str = "dramatiq", version: int = 1) -> None:
        self.client, self.keys = client, Keys(namespace, version)
        self.epoch, self._sequences = 0, dict[str, int]()
        self._script = client.register_script((files("bioagents_worker") / "flush.lua").read_text())

    def flush(
        self,
        worker: str = "w1",
        state: State | None = None,
        totals: Mapping[str, Mapping[str, int]] | None = None,
        *,
        server: str | None = None,
        **identity: object,
    ) -> None:
        """A heartbeat and differences by queue; ``server`` is the run_id that the worker passes."""
        beat = encode_beat(encode_identity(replace(IDENTITY, **identity)), state or State())  # type: ignore[arg-type]
        run_id = server or self.client.info("server")["run_id"]
        base = self._sequences.get(worker, 0)
        reply = self._call(worker, run_id, base, beat, totals or {})
        if reply != (self.epoch, base + 1):
            # A new data set began: start again with its epoch, as a worker does.
            self.epoch, self._sequences = reply[0], {}
            self._call(worker, run_id, 0, beat, totals or {})
        self._sequences[worker] = self._sequences.get(worker, 0) + 1

    def _call(
        self, worker: str, run_id: str, base: int, beat: str, totals: Mapping[str, Mapping[str, int]]
    ) -> tuple[int, int]:
        keys = [self.keys.seqs, self.keys.beats, self.keys.producers, self.keys.gone, self.keys.queues]
        args: list[str | int] = [worker, run_id, self.epoch, base, base + 1, "worker", beat]
        for queue, fields in totals.items():
            keys.append(self.keys.totals(queue))
            args += [queue, len(fields)]
            args += [part for field in fields.items() for part in field]
        epoch, stored, *_ = self._script(keys=keys, args=args)
        return int(epoch), int(stored)


__all__ = ["IDENTITY", "WHOLE_FLEET", "WireFleet"]
