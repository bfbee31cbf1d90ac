"""Which namespaces of ``RedisBroker`` can be watched: one rule for all who take one."""

from __future__ import annotations

import re
from typing import Final

#: One pair of braces round a part of it is a hash tag of Redis Cluster. Any others would be lost on the way
#: to our keys (:class:`bioagents_worker.wire.Keys`), and the fleets ``ab`` and ``a{b`` would share them.
_NAMESPACE: Final = re.compile(r"X+|X*\{X+\}X*".replace("X", r"[^\s*?\[\]\\\x00-\x1f\x7f{}]"))


def parse_namespace(text: str) -> str:
    """``text`` itself; ValueError says what was expected."""
    if not _NAMESPACE.fullmatch(text):
        raise ValueError(
            "expected the namespace of RedisBroker: one word without blanks, *, ?, [, ] or \\, "
            "with no braces but one pair round a part of it"
        )
    return text
