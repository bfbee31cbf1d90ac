"""The Lua script on a real Redis, and the specification with the same clock."""

from __future__ import annotations

from importlib.resources import files

import redis

from bioagents_worker.wire import Keys
from transport.model import Call, Clock, Hashes, Reply, Store

NAMESPACE = "dramatiq"


def lua_source(name: str) -> str:
    """The source of one of the worker's scripts."""
    return (files("bioagents_worker") / name).read_text()


class RealStore:
    """:class:`transport.model.Store` on a real Redis, with any run_id."""

    def __init__(self, client: redis.Redis, lua: str = "") -> None:
        """``lua``: another script than the worker's."""
        self.client, self.keys, self.server = client, Keys(NAMESPACE), "server-1"
        self.script = client.register_script(lua or lua_source("flush.lua"))
        self.reaper = client.register_script(lua_source("reap.lua"))
        self.now = 0  # Redis' time of the last call, in microseconds
        client.flushall()

    def key(self, name: str) -> str:
        """The key of one of the model's hashes."""
        return self.keys.prefix + name

    def flush(self, call: Call) -> Reply:
        """One call of the script."""
        keys = self.keys
        names = [keys.seqs, keys.beats, keys.producers, keys.gone, keys.queues]
        args: list[str | int] = [
            call.who,
            "" if call.blind else self.server,
            call.epoch,
            call.base,
            call.new,
            call.kind,
            "a heartbeat",
        ]
        for queue in sorted({queue for queue, _ in call.diffs}):
            fields = [(series, n) for (q, series), n in call.diffs.items() if q == queue]
            names.append(keys.totals(queue))
            args += [queue, len(fields)]
            args += [part for field in fields for part in field]
        current, stored, fleet, now = self.script(keys=names, args=args)
        self.now = int(now)
        return Reply(int(current), int(stored), int(fleet))

    def reap(self, age: float, callers: frozenset[str]) -> None:
        """One call of the reaping script."""
        keys = self.keys
        names = [keys.seqs, keys.beats, keys.producers, keys.gone]
        self.reaper(keys=names, args=[int(age * 1_000_000), *sorted(callers)])

    def hashes(self) -> Hashes:
        """All our data in the terms of the model."""
        found: Hashes = {}
        for key in self._all_keys():
            name = key.decode().removeprefix(self.keys.prefix)
            if name == "queues":
                found[name] = {_text(member): 1 for member in self.client.smembers(key)}
            elif self.client.type(key) == b"hash":
                pairs = self.client.hgetall(key).items()
                found[name] = {_text(field): _number(_text(value)) for field, value in pairs}
        return found

    def dump(self) -> dict[bytes, bytes]:
        """All our data, as in a backup or a replica."""
        return {key: self.client.dump(key) or b"" for key in self._all_keys()}

    def rollback(self, dump: dict[bytes, bytes], server: int) -> None:
        """Another server process with an older data set."""
        self.client.flushall()
        for key, value in dump.items():
            self.client.restore(key, 0, value)
        self.server = f"server-{server}"

    def _all_keys(self) -> list[bytes]:
        return [key for key in self.client.keys("bioagents:*") if isinstance(key, bytes)]


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def _number(value: str) -> int:
    """A heartbeat starts with its time; a run_id ends with its number, and is empty if it is hidden."""
    return int(value.split("\n", maxsplit=1)[0].removeprefix("server-") or 0)


class TimedStore(Store):
    """The specification with the times of Redis' clock, so that its epochs are the real ones."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.now = 0

    def micros(self) -> int:
        """The time that the script read at the same call."""
        return self.now

    def visible(self) -> Hashes:
        """Redis keeps no empty hash."""
        return {name: dict(fields) for name, fields in self.hashes.items() if fields}
