"""Prometheus' remote-write protocol, as far as a benchmark needs it to write a history in minutes.

A request is a protobuf message in a snappy block. The block holds one literal, which is valid and no smaller.
"""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Iterable, Mapping, Sequence

_LITERAL_OF_FOUR_BYTES = 0xFC
_HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def encode_labels(labels: Mapping[str, str]) -> bytes:
    """The encoded labels of a time series, including its ``__name__``."""
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode()))
        for name, value in sorted(labels.items())
    )


def encode_samples(milliseconds: Sequence[int], values: Sequence[float]) -> bytes:
    """The encoded samples of a time series."""
    return b"".join(
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(time))
        for time, value in zip(milliseconds, values, strict=True)
    )


def series(labels: bytes, samples: bytes) -> bytes:
    """One time series of a request, from the results of the two functions above."""
    return b"\x0a" + _varint(len(labels) + len(samples)) + labels + samples


def send(prometheus: str, request: Iterable[bytes]) -> None:
    """Write these series; OSError unless Prometheus accepts all of them."""
    message = b"".join(request)
    block = _varint(len(message)) + struct.pack("<BI", _LITERAL_OF_FOUR_BYTES, len(message) - 1) + message
    post = urllib.request.Request(f"{prometheus}/api/v1/write", block, _HEADERS, method="POST")  # noqa: S310 - our own
    with urllib.request.urlopen(post, timeout=120) as answer:  # noqa: S310 - our own server
        answer.read()


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
