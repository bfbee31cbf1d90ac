"""Calls of the flush script by a thousand workers, each on its own connection and at its own time.

Usage: replay.py PORT WORKERS SECONDS INTERVAL; each line of input is ``script`` or ``ping`` (the floor: as many
commands a second, over as many connections, which do nothing). Answers with a line of JSON: the server's CPU
seconds in that time, seconds gone, calls answered.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).resolve().parent.parent),
    str(Path(__file__).resolve().parents[2] / "tests"),
]

import hiredis
import redis

from harness.simulated_fleet import Shape, SimulatedFleet, SimulatedWorker, seed


class Caller:
    """One worker's connection."""

    def __init__(self, port: int, worker: SimulatedWorker) -> None:
        self.worker = worker
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = hiredis.Reader()

    def answered(self) -> int:
        """The number of replies that have arrived."""
        self.reader.feed(self.socket.recv(1 << 16))
        count = 0
        while (reply := self.reader.gets()) is not False:
            if isinstance(reply, Exception):
                raise reply
            count += 1
        return count


def cpu(client: redis.Redis) -> float:
    info = client.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


def replay(fleet: SimulatedFleet, callers: list[Caller], seconds: float, interval: float, what: str) -> int:
    """Calls spread evenly over the interval, as with jitter; returns the number of replies."""
    poll = selectors.DefaultSelector()
    for caller in callers:
        poll.register(caller.socket, selectors.EVENT_READ, caller)
    began, answered = time.monotonic(), 0
    turns = deque(moments(callers, began, seconds, interval))
    while turns:
        for key, _ in poll.select(max(0.0, turns[0][0] - time.monotonic())):
            answered += key.data.answered()
        while turns and turns[0][0] <= time.monotonic():
            caller = turns.popleft()[1]
            command = fleet.call(caller.worker) if what == "script" else ("PING",)
            caller.socket.sendall(hiredis.pack_command(command))
    poll.close()
    return answered


def moments(
    callers: list[Caller], began: float, seconds: float, interval: float
) -> Iterator[tuple[float, Caller]]:  # fmt: skip
    """The time of each call, in order."""
    for turn in range(int(seconds / interval)):
        for number, caller in enumerate(callers):
            yield began + (turn + number / len(callers)) * interval, caller


def main(port: int, workers: int, seconds: float, interval: float) -> None:
    """Answers each line of input (``script`` or ``ping``)."""
    fleet = seed(port, Shape(queues=20, workers=workers, jobs=2))
    callers = [Caller(port, worker) for worker in list(fleet.workers)]
    with redis.Redis(port=port) as client:
        print(json.dumps({}), flush=True)
        for line in sys.stdin:
            before, began = cpu(client), time.monotonic()
            answered = replay(fleet, callers, seconds, interval, line.strip())
            gone = time.monotonic() - began
            print(json.dumps({"cpu": cpu(client) - before, "seconds": gone, "calls": answered}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
