"""Enqueue: ``produce.py flood N`` jobs at once, or ``produce.py traffic``, ten a second until stopped."""

from __future__ import annotations

import itertools
import signal
import sys
import threading

from alerts_app import answer, research


def flood(jobs: int) -> None:
    """All at once."""
    for _ in range(jobs):
        research.send()


def traffic() -> None:
    """Steadily, until SIGTERM."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    for question in itertools.count():
        answer.send(question)
        if stopped.wait(0.1):
            return


if __name__ == "__main__":
    if sys.argv[1] == "flood":
        flood(int(sys.argv[2]))
    else:
        traffic()
