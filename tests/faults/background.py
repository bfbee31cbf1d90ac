"""Work in a thread while a block runs: traffic, a supervisor, another program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run ``work`` in a thread during the block, which ends when it has returned.

    ``work`` gets an event and must return soon after the event is set, at the end of the block.
    """
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name=work.__name__)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
