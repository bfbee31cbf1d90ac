"""Turn the signals that end a program into an exception, once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Never

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Someone asked the demo to stop."""


@contextmanager
def stopping() -> Iterator[None]:
    """Inside, the first of SIGINT, SIGTERM and SIGHUP raises Stopped; the others are ignored from then on."""
    before = {signum: signal.signal(signum, _stop) for signum in _ENDING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _stop(signum: int, frame: FrameType | None) -> Never:  # noqa: ARG001 - the signature of a handler
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped
