"""The server: listening sockets, which stay open while TLS is exchanged, tasks, signals and a clean end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from bioagents_exporter.serve.app import Warnings, application
from bioagents_exporter.serve.collector import Collector
from bioagents_exporter.serve.web_config import LiveConfig
from bioagents_exporter.serve.worker_thread import WorkerThread
from bioagents_exporter.settings import SettingsError

log = logging.getLogger(__name__)

SAMPLING: Final = 5.0  # seconds between two samples of the window
RELOADING: Final = 1.0  # seconds between two checks of the files of the web configuration
_LAST_ANSWERS: Final = 0.3  # seconds for requests in progress to finish
_BACKLOG: Final = 128
#: A host name may have addresses that this host does not have: the others are enough.
_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


async def run(
    collector: Collector,
    config: LiveConfig,
    sockets: list[socket.socket],
    *,
    warnings: Warnings,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; ``started`` is called once connections are answered."""
    stop = _stopped_by(signal.SIGTERM, signal.SIGINT)
    pages = WorkerThread("pages")  # pages, compression and the files of the web configuration

    async def allows(request: web.Request) -> bool:
        return await config.guard.allows(request.headers.get(hdrs.AUTHORIZATION))

    async def reload() -> None:
        if await pages.run(config.refresh):
            await listener.apply(config.tls)

    app = application(collector, pages, warnings, allows)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_LAST_ANSWERS)
    await runner.setup()
    listener = Listener(runner, sockets)
    tasks = [
        asyncio.create_task(every(SAMPLING, collector.sample)),
        asyncio.create_task(every(RELOADING, reload)),
    ]
    try:
        await listener.apply(config.tls)
        started()
        await stop.wait()
    finally:
        await _end(tasks)
        await runner.cleanup()
        listener.close()
        collector.close()
        pages.close()
        config.guard.close()


async def every(period: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do work now and every ``period`` seconds; a turn that is late is left out, not made up for."""
    loop = asyncio.get_running_loop()
    due, trouble = loop.time(), ""
    while True:
        try:
            await work()
        except Exception as error:
            # The next turn may succeed, so the loop goes on.
            if trouble != repr(error):
                log.exception("task_failed")
            trouble = repr(error)
        else:
            trouble = ""
        due = max(due + period, loop.time())
        await asyncio.sleep(due - loop.time())


def _stopped_by(*signals: signal.Signals) -> asyncio.Event:
    stop = asyncio.Event()
    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def bind(address: tuple[str, int]) -> list[socket.socket]:
    """Sockets for every address of the host, or for all interfaces; SettingsError where that fails."""
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
    """``host:port`` of each, with the real port."""
    addresses = [bound.getsockname()[:2] for bound in sockets]
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses]


class Listener:
    """Serves on bound sockets, with TLS or without; changes that without refusing a connection."""

    def __init__(self, runner: web.AppRunner, sockets: list[socket.socket]) -> None:
        self._runner, self._sockets = runner, sockets
        self._sites: list[web.SockSite] = []

    async def apply(self, tls: ssl.SSLContext | None) -> None:
        """Serve new connections with this TLS context from now on; open connections stay as they are."""
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
    """The reason without the address, which the error's own text repeats; a name not found has no errno."""
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
