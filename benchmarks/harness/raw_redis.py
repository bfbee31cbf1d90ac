"""A Redis connection without the cost of a client library, for the load that a row makes."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable, Sequence

import hiredis

Command = tuple[str | bytes | int, ...]
CHUNK = 200  # commands sent at once: more would fill the buffers of both sides and block


class RawRedis:
    """Blocking, one thread."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader()

    @property
    def address(self) -> str:
        """The address of this client in the logs of the server."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def call(self, *command: str | bytes | int) -> object:
        return self.call_all([command])[0]

    def call_all(self, commands: Iterable[Command]) -> list[object]:
        """All replies in order; the first error among them is raised."""
        replies: list[object] = []
        waiting = iter(commands)
        while chunk := list(itertools.islice(waiting, CHUNK)):
            self._socket.sendall(b"".join(map(hiredis.pack_command, chunk)))
            replies += self._read(len(chunk))
        return replies

    def _read(self, count: int) -> Sequence[object]:
        replies: list[object] = []
        while len(replies) < count:
            reply = self._reader.gets()
            if reply is False:
                self._reader.feed(self._socket.recv(1 << 16))
            elif isinstance(reply, Exception):
                raise reply
            else:
                replies.append(reply)
        return replies

    def stop(self) -> None:
        self._socket.close()
