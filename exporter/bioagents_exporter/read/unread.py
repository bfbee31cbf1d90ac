"""Messages that the exporter does not read: in another encoding than Dramatiq's JSON, too large, or damaged.

Dramatiq lets an application choose the encoder of its messages, and limits no message. Neither is an error:
only the times of such a message are unknown. Other encodings are recognised by their first bytes and never
decoded, pickle least of all; JSON in another form than Dramatiq's is another encoding too, such as that of an
encoder that puts each message into an envelope.
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
    DAMAGED = "damaged"  # begins as JSON of Dramatiq does, but no worker can read it
    NO_TIME = "no_time"  # a message of another program, which sets no times; Dramatiq takes it
    PICKLE = "pickle"
    MSGPACK = "msgpack"
    GZIP = "gzip"
    ZLIB = "zlib"
    ZSTD = "zstd"
    OTHER = "other"


#: The reasons that name an encoding.
ENCODINGS: Final = tuple(r for r in Reason if r not in {Reason.TOO_LARGE, Reason.DAMAGED, Reason.NO_TIME})


_SHORT_MAPS: Final = bytes(range(0x81, 0x90))  # of msgpack, one to fifteen entries
#: First bytes → encoding.
_BEGINNINGS: Final[Mapping[bytes, Reason]] = {
    **{bytes([0x80, protocol]): Reason.PICKLE for protocol in range(2, 6)},
    **{bytes([first]): Reason.MSGPACK for first in (*_SHORT_MAPS, 0xDE, 0xDF)},
    b"\x1f\x8b": Reason.GZIP,
    **{bytes([0x78, level]): Reason.ZLIB for level in (0x01, 0x5E, 0x9C, 0xDA)},
    b"\x28\xb5\x2f\xfd": Reason.ZSTD,
}


def decode_message(raw: bytes) -> dict[str, Any] | Reason:
    """A message, with a dictionary as its ``options``, or the reason why it is not read."""
    for beginning, reason in _BEGINNINGS.items():
        if raw.startswith(beginning):
            return reason
    try:
        decoded = json.loads(raw)
    except (ValueError, RecursionError):
        return Reason.DAMAGED if raw.lstrip().startswith(b'{"') else Reason.OTHER
    if not isinstance(decoded, dict) or "actor_name" not in decoded:
        return Reason.OTHER
    return decoded if isinstance(decoded.get("options"), dict) else Reason.DAMAGED


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
