"""Messages that the exporter does not read: in another encoding than JSON, too large, or damaged.

Dramatiq lets an application choose the encoder of its messages, and limits no message. Neither is an error:
only the times of such a message are unknown. Other encodings are recognised by their first bytes and never
decoded, pickle least of all.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

log = logging.getLogger(__name__)

#: Messages can be megabytes; a larger one is not read.
MAX_MESSAGE: Final = 64 * 1024


class Reason(StrEnum):
    """Why a message is not read: values of the label ``reason``."""

    TOO_LARGE = "too_large"
    DAMAGED = "damaged"  # JSON, but no message of Dramatiq, or without a time
    PICKLE = "pickle"
    MSGPACK = "msgpack"
    GZIP = "gzip"
    ZLIB = "zlib"
    ZSTD = "zstd"
    OTHER = "other"


_SHORT_MAPS: Final = bytes(range(0x81, 0x90))  # of msgpack, one to fifteen entries
#: First bytes → encoding.
_BEGINNINGS: Final[Mapping[bytes, Reason]] = {
    **{bytes([0x80, protocol]): Reason.PICKLE for protocol in range(2, 6)},
    **{bytes([first]): Reason.MSGPACK for first in (*_SHORT_MAPS, 0xDE, 0xDF)},
    b"\x1f\x8b": Reason.GZIP,
    **{bytes([0x78, level]): Reason.ZLIB for level in (0x01, 0x5E, 0x9C, 0xDA)},
    b"\x28\xb5\x2f\xfd": Reason.ZSTD,
}


def encoding_of(message: bytes) -> Reason | None:
    """The encoding of a message; None for JSON, damaged JSON included."""
    if message.lstrip()[:1] in (b"{", b"["):  # nearly every message
        return None
    for beginning, reason in _BEGINNINGS.items():
        if message.startswith(beginning):
            return reason
    try:
        json.loads(message)
    except (ValueError, RecursionError):
        return Reason.OTHER
    return None


def decode_message(raw: bytes) -> dict[str, Any] | None:
    """A message with its ``options``, which is a dictionary; None if it is not a Dramatiq message in JSON."""
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(decoded, dict) and isinstance(decoded.get("options"), dict):
        return decoded
    return None


#: Queue → number of messages that were not read, by reason.
Unread = Mapping[str, Counter[Reason]]


class UnreadLog:
    """Says once for each reason that messages are not read, and in which queue the first one was."""

    def __init__(self) -> None:
        self._said: set[Reason] = set()

    def add_up(self, parts: Iterable[Unread]) -> dict[tuple[str, str], int]:
        """(Queue, reason) → number of messages in all parts, sorted."""
        found: Counter[tuple[str, str]] = Counter()
        for part in parts:
            for queue, reasons in part.items():
                for reason, n in reasons.items():
                    self._say(queue, reason)
                    found[queue, reason.value] += n
        return dict(sorted(found.items()))

    def _say(self, queue: str, reason: Reason) -> None:
        if reason not in self._said and log.isEnabledFor(logging.WARNING):  # a start logs errors alone
            self._said.add(reason)
            log.warning(
                "messages_not_read reason=%s queue=%s limit_bytes=%d: their ages and due times are left out",
                reason.value, queue, MAX_MESSAGE,
            )  # fmt: skip
