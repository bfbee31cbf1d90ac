"""Which names are queues."""

from __future__ import annotations

from collections import Counter
from typing import Final

from bioagents_exporter.read.causes import Cause
from bioagents_exporter.read.resp import Reply

#: Endings of keys that belong to a queue; such a name is never a queue of its own.
_PARTS: Final = (".DQ", ".XQ", ".msgs")


def queue_name(raw: bytes) -> str | None:
    """The name of a queue as text, None where it cannot be one.

    Only names that are UTF-8 can be published; surrogates would make the exposition invalid.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return None
    return name if is_queue(name) else None


def is_queue(name: str) -> bool:
    """Whether a queue may be called so: Dramatiq's other keys are no queues of their own."""
    return bool(name) and not name.endswith(_PARTS) and not name.startswith("__")


class Registry:
    """The names of one registry set, decoded again only when they change."""

    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        self._raw: list[Reply] = []
        self._bad = 0

    def update(self, raw: list[Reply], errors: Counter[str]) -> None:
        """Take the members of the set; the empty name stands for the fleet and is no queue."""
        if raw != self._raw:
            names = [queue_name(member) for member in raw if isinstance(member, bytes) and member]
            self._raw, self._bad = raw, names.count(None)
            self.names = frozenset(name for name in names if name is not None)
        if self._bad:
            errors[Cause.BAD_NAME] += self._bad
