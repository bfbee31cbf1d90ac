"""A proxy in front of Redis that counts round trips: how often a client starts to wait for replies."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

import hiredis

SIZE = 1 << 16


@dataclass(slots=True)
class Count:
    """The counts of all connections."""

    round_trips: int = 0
    commands: int = 0


@dataclass(slots=True)
class _Connection:
    client: socket.socket
    server: socket.socket
    unanswered: int = 0
    requests: hiredis.Reader = field(default_factory=hiredis.Reader)
    replies: hiredis.Reader = field(default_factory=hiredis.Reader)


class CountingProxy:
    """Listens on :attr:`port`; :attr:`count` grows as clients talk."""

    def __init__(self, redis_port: int) -> None:
        self.count = Count()
        self._redis_port, self._lock = redis_port, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Accept no new connection; open ones end with their clients."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            connection = _Connection(client, socket.create_connection(("127.0.0.1", self._redis_port)))
            for pump in (self._requests, self._replies):
                threading.Thread(target=pump, args=(connection,), daemon=True).start()

    def _requests(self, connection: _Connection) -> None:
        while data := _receive(connection.client):
            commands = _complete(connection.requests, data)
            with self._lock:
                # Counted when the first command is complete: the rest of a large pipeline is the same round trip.
                self.count.round_trips += commands > 0 and connection.unanswered == 0
                self.count.commands += commands
                connection.unanswered += commands
            connection.server.sendall(data)
        connection.server.close()

    def _replies(self, connection: _Connection) -> None:
        while data := _receive(connection.server):
            answered = _complete(connection.replies, data)
            with self._lock:
                connection.unanswered -= answered
            connection.client.sendall(data)
        connection.client.close()


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(SIZE)
    except OSError:
        return b""


def _complete(reader: hiredis.Reader, data: bytes) -> int:
    """The number of commands or replies that end in this piece."""
    reader.feed(data)
    count = 0
    while reader.gets() is not False:
        count += 1
    return count
