"""From bound sockets to a clean end: the event loop of an exporter, its tasks and signals."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from bioagents_exporter.serve.app import Warnings, application
from bioagents_exporter.serve.collector import Collector
from bioagents_exporter.serve.listener import Listener
from bioagents_exporter.serve.reload import LiveConfig

log = logging.getLogger(__name__)

SAMPLING: Final = 5.0  # seconds between two samples of the window
RELOADING: Final = 1.0  # seconds between two looks at the files of the web configuration
_LAST_ANSWERS: Final = 0.3  # seconds that requests under way have to finish


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

    async def allows(request: web.Request) -> bool:
        return await config.guard.allows(request.headers.get(hdrs.AUTHORIZATION))

    async def reload() -> None:
        if await collector.aside(config.refresh):
            await listener.apply(config.tls)

    app = application(collector, warnings, allows)
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
        config.guard.close()


async def every(period: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do work now and every ``period`` seconds; a turn that comes too late is left out."""
    loop = asyncio.get_running_loop()
    due, trouble = loop.time(), ""
    while True:
        try:
            await work()
        except Exception as error:
            # The next turn may succeed: it must come.
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
