"""A TCP proxy that can cut all connections, forget them, or cut one just after its request was executed."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable

Chunk = bytes


class TcpProxy:
    """Listens on a free port of 127.0.0.1 and forwards to ``target``.

    ``lose_reply`` is called with each chunk from a client; if it returns true, the request is forwarded, and
    the connection is closed when the server has answered, instead of forwarding the answer.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.lose_reply: Callable[[Chunk], bool] = lambda _: False
        self.lost = 0
        self._away = False
        self._open: set[socket.socket] = set()
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def go_away(self) -> None:
        """Close every connection and refuse new ones."""
        self._away = True
        for end in list(self._open):
            _close(end)

    def forget_connections(self) -> None:
        """Drop what is sent on the connections that exist and close none, as a firewall does."""
        for pair in self._pairs:
            pair.forgotten = True

    def come_back(self) -> None:
        self._away = False

    def close(self) -> None:
        self.go_away()
        _close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._away:
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            self._open |= {client, server}
            pair = _Pair(self, client, server)
            self._pairs.append(pair)
            threading.Thread(target=pair.requests, daemon=True).start()
            threading.Thread(target=pair.replies, daemon=True).start()

    def forget(self, *ends: socket.socket) -> None:
        self._open -= set(ends)


class _Pair:
    """One connection through the proxy."""

    def __init__(self, proxy: TcpProxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.cut = self.forgotten = False

    def requests(self) -> None:
        with contextlib.suppress(OSError):  # either end may be closed at any time
            while chunk := self.client.recv(1 << 16):
                if self.forgotten:
                    continue
                if self.proxy.lose_reply(chunk):
                    self.cut = True
                self.server.sendall(chunk)
        self._end()

    def replies(self) -> None:
        with contextlib.suppress(OSError):  # as above
            while chunk := self.server.recv(1 << 16):
                if self.cut:
                    self.proxy.lost += 1
                    break
                self.client.sendall(chunk)
        self._end()

    def _end(self) -> None:
        _close(self.client)
        _close(self.server)
        self.proxy.forget(self.client, self.server)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def one_in(n: int, *, of: bytes = b"", seed: int = 1) -> Callable[[Chunk], bool]:
    """On average every n-th of the chunks that contain ``of``."""
    dice = random.Random(seed)
    return lambda chunk: of in chunk and dice.randrange(n) == 0
