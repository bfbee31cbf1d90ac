"""The heartbeats of all workers of one wire version, checked field by field.

One HGETALL of 10,000 heartbeats of 500 bytes keeps Redis busy for 12 to 19 ms (measured): from a few thousand
on they are read in pieces, by the names that the last read found; HKEYS shows which are new. json.loads and
checks in Python take 9 µs for each heartbeat (measured), msgspec with its checks 2 µs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Annotated, Final, cast, get_type_hints

import msgspec

from bioagents_exporter.read.connection import Reply, array, pack
from bioagents_exporter.read.errors import Cause
from bioagents_exporter.read.queues import MAX_QUEUES
from bioagents_exporter.read.snapshot import Worker, is_queue
from bioagents_worker.wire import Identity, RunningJob, State, heartbeat, split_beat

#: Heartbeats in one command.
PIECE: Final = 1000
#: More workers than this are read in pieces.
LARGE: Final = 2000

#: The types of the wire format with their bounds, as msgspec checks them.
_CHECKS: Final = {
    "Count": Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)],
    "Seconds": Annotated[float, msgspec.Meta(ge=0, le=1e12)],
    "Offset": Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)],
    "Mapping": dict,
}
_MICROSECONDS: Final = 1e6
_SPARE: Final = 1000  # identities of workers that are gone, before they are forgotten


def _checked(source: type, *, array_like: bool = False, **nested: object) -> type[msgspec.Struct]:
    """A struct with the fields of a class of the wire format, which checks values as they are decoded.

    It is used in place of that class: to fill a dataclass attribute by attribute takes five times as long.
    ``nested`` are classes of the wire format, by name, with the structs that replace them.
    """
    hints = get_type_hints(source, {**vars(heartbeat), **_CHECKS, **nested}, include_extras=True)
    columns = [
        (each.name, hints[each.name], *([] if each.default is MISSING else [each.default]))
        for each in fields(source)
    ]
    return msgspec.defstruct(f"_{source.__name__}", columns, frozen=True, gc=False, array_like=array_like)


_decode_identity: Final = msgspec.json.Decoder(_checked(Identity)).decode
_decode_state: Final = msgspec.json.Decoder(
    _checked(State, RunningJob=_checked(RunningJob, array_like=True))
).decode


class HeartbeatDecoder:
    """Remembers each worker's last heartbeat: identities seldom change, the rest at most once an interval."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._workers: dict[bytes, Worker | None] = {}
        self._identities: dict[bytes, Identity] = {}
        self._misnamed: dict[bytes, int] = {}  # identity → how many of its queues have impossible names
        self.queues: set[str] = set()  # that any worker ever consumed

    @property
    def names(self) -> list[bytes]:
        """The workers whose heartbeats the last read found, readable or not."""
        return list(self._values)

    def decode(self, names: Iterable[Reply], values: Iterable[Reply], errors: Counter[str]) -> list[Worker]:
        """Workers of a heartbeat hash, without those that are gone or whose heartbeat cannot be read."""
        self._take(names, values)
        workers = [worker for worker in self._workers.values() if worker is not None]
        if len(workers) < len(self._workers):
            errors[Cause.BAD_HEARTBEAT] += len(self._workers) - len(workers)
        if self._misnamed:
            current = (split_beat(value)[1] for name, value in self._values.items() if self._workers[name])
            errors[Cause.BAD_NAME] += sum(self._misnamed.get(identity, 0) for identity in current)
        return workers

    def _take(self, names: Iterable[Reply], values: Iterable[Reply]) -> None:
        known, workers = self._values, self._workers
        self._values, self._workers = {}, {}
        for name, value in zip(names, values, strict=True):
            if not isinstance(name, bytes) or not isinstance(value, bytes):
                continue
            self._values[name] = value
            same = known.get(name) == value
            self._workers[name] = workers[name] if same else self._parse(name, value)
        if len(self._identities) > 2 * len(self._values) + _SPARE:
            self._identities, self._misnamed = {}, {}

    def _parse(self, name: bytes, value: bytes) -> Worker | None:
        try:
            time, identity, state = split_beat(value)
            return Worker(
                name.decode(),
                time / _MICROSECONDS,
                self._identities.get(identity) or self._identity(identity),
                cast("State", _decode_state(state)),  # has the attributes of one
            )
        except (ValueError, RecursionError):  # msgspec's and Unicode's errors are ValueErrors
            return None

    def _identity(self, raw: bytes) -> Identity:
        identity = self._identities[raw] = Identity(**msgspec.structs.asdict(_decode_identity(raw)))
        queues = [queue for queue in identity.queues if is_queue(queue)]
        if len(queues) < len(identity.queues):
            self._misnamed[raw] = len(identity.queues) - len(queues)
        if len(self.queues) < MAX_QUEUES:
            self.queues.update(queues)
        return identity


class HeartbeatReader:
    """In each read: ``first``, ``take_first``, ``second``, ``take_second``, ``workers``."""

    def __init__(self, key: str) -> None:
        self._key, self._decoder = key, HeartbeatDecoder()
        self._in_pieces = False
        self._known: list[bytes] = []
        self._packed: tuple[bytes, int] = (b"", 0)
        self._new: list[bytes] = []
        self._names: list[Reply] = []
        self._values: list[Reply] = []

    @property
    def queues(self) -> set[str]:
        """Queues that any worker ever consumed."""
        return self._decoder.queues

    def expect(self, workers: Reply) -> None:
        """How many workers there are, before the first read."""
        self._in_pieces = isinstance(workers, int) and workers > LARGE

    def first(self) -> tuple[bytes, int]:
        """Commands of the first round trip, and how many they are."""
        if not self._in_pieces:
            return pack("HGETALL", self._key), 1
        packed, size = self._packed
        return pack("HKEYS", self._key) + packed, 1 + size

    def take_first(self, replies: Iterator[Reply], errors: Counter[str]) -> None:
        """The replies to ``first``."""
        names = array(next(replies), errors)
        if not self._in_pieces:
            self._names, self._values, self._new = names[::2], names[1::2], []
            return
        self._names, self._values = [], []
        self._take(self._known, replies, self._packed[1], errors)
        known = set(self._known)
        self._new = [name for name in names if isinstance(name, bytes) and name not in known]

    def second(self) -> tuple[bytes, int]:
        """Commands of the second round trip: workers that are new."""
        return self._pieces(self._new)

    def take_second(self, replies: Iterator[Reply], size: int, errors: Counter[str]) -> None:
        """The replies to ``second``."""
        self._take(self._new, replies, size, errors)

    def workers(self, errors: Counter[str]) -> list[Worker]:
        """The workers whose heartbeats can be read."""
        workers = self._decoder.decode(self._names, self._values, errors)
        self._names, self._values = [], []
        self._in_pieces = len(self._decoder.names) > LARGE
        names = self._decoder.names if self._in_pieces else []
        if names != self._known:
            self._known, self._packed = names, self._pieces(names)
        return workers

    def _pieces(self, names: Sequence[bytes]) -> tuple[bytes, int]:
        starts = range(0, len(names), PIECE)
        packed = [pack("HMGET", self._key, *names[start : start + PIECE]) for start in starts]
        return b"".join(packed), len(packed)

    def _take(
        self, names: Sequence[bytes], replies: Iterator[Reply], size: int, errors: Counter[str]
    ) -> None:
        for piece in range(size):
            values = array(next(replies), errors)
            self._names += names[piece * PIECE :][: len(values)]
            self._values += values
