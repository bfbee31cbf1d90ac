"""One run: its effort, its temporary folder, and the programs that it must stop."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from support.redis_server import RedisServer


class Stoppable(Protocol):
    """A program, a server, a connection."""

    def stop(self) -> object:
        """Stop it; does nothing if it has ended."""


S = TypeVar("S", bound=Stoppable)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    repetitions: int
    quick: bool

    def of(self, full: int) -> int:
        """The size of one repetition: all of it, or a tenth in a quick run."""
        return max(full // 10, 1) if self.quick else full


class Bench(contextlib.ExitStack):
    """A context: at its end all that it started is stopped, the last first, and its folder removed."""

    def __init__(self, effort: Effort) -> None:
        super().__init__()
        self.effort = effort
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))

    def keep(self, thing: S) -> S:
        """Stop it at the end."""
        self.callback(thing.stop)
        return thing

    def subfolder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def redis(self, name: str = "redis") -> RedisServer:
        """A new Redis server without persistence."""
        return self.keep(RedisServer(self.folder / name, maxclients="20000"))
