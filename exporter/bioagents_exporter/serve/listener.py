"""Listening sockets that stay open while what listens on them is exchanged."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Final

from aiohttp import web

from bioagents_exporter.settings import SettingsError

_BACKLOG: Final = 128
#: An address of a name that this host does not have: the others of the name are enough.
_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def bind(address: tuple[str, int]) -> list[socket.socket]:
    """Sockets for every address of the host, or for all interfaces; SettingsError where that cannot be."""
    host, port = address
    try:
        if not host:
            return [_every_interface(port)]
        return _bind_all(_addresses(host), port)
    except OSError as error:
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        expected = "expected a free address and port of this host"
        raise SettingsError(f"--web.listen-address {shown}: {_reason(error)}: {expected}") from None


def names(sockets: list[socket.socket]) -> list[str]:
    """``host:port`` as it really is, for each."""
    addresses = [bound.getsockname()[:2] for bound in sockets]
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses]


class Listener:
    """Serves on bound sockets, by TLS or not; exchanges that without a refused connection."""

    def __init__(self, runner: web.AppRunner, sockets: list[socket.socket]) -> None:
        self._runner, self._sockets = runner, sockets
        self._sites: list[web.SockSite] = []

    async def apply(self, tls: ssl.SSLContext | None) -> None:
        """Serve new connections like this from now on; those that are open stay as they are."""
        before = self._sites
        self._sites = [web.SockSite(self._runner, bound.dup(), ssl_context=tls) for bound in self._sockets]
        for site in self._sites:
            await site.start()
        for site in before:
            await site.stop()

    def close(self) -> None:
        """Close the sockets; the sites end with the runner."""
        for bound in self._sockets:
            bound.close()


def _reason(error: OSError) -> str:
    """Without the address, which the error's own text repeats; a name not found has no errno."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def _every_interface(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("::", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    return socket.create_server(("", port), backlog=_BACKLOG)


def _addresses(host: str) -> dict[str, socket.AddressFamily]:
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return {str(where[0]): family for family, _, _, _, where in found}


def _bind_all(addresses: dict[str, socket.AddressFamily], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    missing = OSError(errno.EADDRNOTAVAIL, "no such address here")
    try:
        for address, family in addresses.items():
            try:
                bound = socket.create_server((address, port), family=family, backlog=_BACKLOG)
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
                continue
            sockets.append(bound)
            port = bound.getsockname()[1]  # port 0: the same one for all
    except OSError:
        for bound in sockets:
            bound.close()
        raise
    if not sockets:
        raise missing
    return sockets
