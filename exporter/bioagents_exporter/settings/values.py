"""Parsers of single values: text in, value out, ``ValueError`` saying what was expected."""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_LONGEST_DURATION: Final = 100 * 365 * 86400.0
_WORDS: Final = {"true": True, "yes": True, "on": True, "1": True} | {
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
#: Dramatiq's own rule for queue names.
QUEUE: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*")
_PREFIX: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*_")
_HIGHEST_PORT: Final = 65535
_EXPECTED_ADDRESS: Final = "expected host:port, such as 127.0.0.1:9877, :9877 or [::1]:9877"
_EXPECTED_DURATION: Final = "expected a duration above zero in seconds or such as 90s, 5m, 8h, 7d"


def duration(text: str) -> float:
    """Seconds: ``60``, ``60s``, ``1h30m``, ``7d``; above zero, each unit once, the largest first."""
    text = text.strip()
    parts = _DURATION.findall(text)
    sizes = [_UNITS[unit] for _, unit in parts]
    if parts and "".join(number + unit for number, unit in parts) == text:
        if sizes != sorted(set(sizes), reverse=True):
            raise ValueError(_EXPECTED_DURATION)
        total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    else:
        total = number_of(text, _EXPECTED_DURATION)
    if not 0 < total <= _LONGEST_DURATION:
        raise ValueError(_EXPECTED_DURATION)
    return total


def seconds(text: str) -> float:
    """A plain number above zero."""
    expected = "expected seconds as a number above zero"
    number = number_of(text, expected)
    if number <= 0:
        raise ValueError(expected)
    return number


def number_of(text: str, expected: str) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(expected) from None
    if not math.isfinite(number):
        raise ValueError(expected)
    return number


def ratio(text: str) -> float:
    """A number from 0 to 1."""
    expected = "expected a ratio from 0 to 1"
    number = number_of(text, expected)
    if not 0 <= number <= 1:
        raise ValueError(expected)
    return number


def count(text: str) -> int:
    """A whole number from 0."""
    if not re.fullmatch(r"[0-9]{1,9}", text.strip()):
        raise ValueError("expected a whole number from 0")
    return int(text)


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("expected a whole number") from None


def boolean(text: str) -> bool:
    """``true`` or ``false``, and the usual words for them."""
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise ValueError("expected true or false") from None


def address(text: str) -> tuple[str, int]:
    """``host:port``; without a host every interface, an IPv6 address in brackets."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > _HIGHEST_PORT:
        raise ValueError(_EXPECTED_ADDRESS)
    if re.search(r"[\s/@?#]", host) or (":" in host and not bracketed):
        raise ValueError(_EXPECTED_ADDRESS)
    return (host[1:-1] if bracketed else host), int(port)


def prefix(text: str) -> str:
    """The prefix of all metric names."""
    if not _PREFIX.fullmatch(text):
        raise ValueError(
            "expected letters, digits and underscores with an underscore at the end, such as bioagents_"
        )
    return text


def name(text: str) -> str:
    """Printable text that is not empty."""
    if not text.strip() or not text.isprintable():
        raise ValueError("expected a name of printable characters")
    return text.strip()


def queue(text: str) -> str:
    """The name of a Dramatiq queue: the queue's own, not that of its delayed jobs or dead letters."""
    if not QUEUE.fullmatch(text):
        raise ValueError("expected the name of a Dramatiq queue: letters, digits, '.', '_' and '-'")
    if text.endswith((".DQ", ".XQ")):
        raise ValueError(f"expected the queue itself, {text[:-3]}: its .DQ and .XQ belong to it")
    if text.startswith("__") or text.endswith(".msgs"):
        raise ValueError("expected the name of a Dramatiq queue: __… and ….msgs are Dramatiq's own keys")
    return text


def queues(text: str) -> tuple[str, ...]:
    """Queue names separated by commas, each once, in the order given."""
    return tuple(dict.fromkeys(queue(part.strip()) for part in text.split(",")))


def one_of(*choices: T) -> Callable[[str], T]:
    """A parser that takes these words alone."""

    def parse(text: str) -> T:
        for choice in choices:
            if text == choice:
                return choice
        raise ValueError(f"expected {', '.join(map(str, choices[:-1]))} or {choices[-1]}")

    return parse


def file(text: str) -> Path:
    """The path of a file."""
    path = Path(text)
    try:
        mode = path.stat().st_mode if text else 0
    except (OSError, ValueError):  # a ValueError for zero bytes
        mode = 0
    if not mode:
        raise ValueError("expected the path of a file that exists")
    if not stat.S_ISREG(mode):
        raise ValueError("expected a regular file, not a folder or a device")
    return path
