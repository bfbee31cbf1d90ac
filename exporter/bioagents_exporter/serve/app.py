"""The HTTP application: its routes, its handlers and the request headers that they use."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from bioagents_exporter.render import CONTENT_TYPE
from bioagents_exporter.serve import runbooks
from bioagents_exporter.serve.collector import Collected, CollectError, Collector
from bioagents_exporter.serve.page import page
from bioagents_exporter.serve.status import Status, status, to_json
from bioagents_exporter.serve.worker_thread import WorkerThread

Allows = Callable[[web.Request], Awaitable[bool]]
Warnings = Callable[[Collected], tuple[str, ...]]

_SCRAPE_TIMEOUT: Final = "X-Prometheus-Scrape-Timeout-Seconds"
_SMALL: Final = 64 * 1024  # bytes; compressed faster than handed to another thread
DEFAULT_BUDGET: Final = 5.0  # seconds to answer a client that sends no timeout
_SHARE: Final = 0.7  # of the time that Prometheus waits; the rest is for the network
_LEAST: Final = 0.2  # seconds
_HEADERS: Final = {
    "Server": "bioagents-exporter",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
}


class Site:
    """The handlers of one exporter; ``thread`` does what would block the event loop."""

    def __init__(self, collector: Collector, thread: WorkerThread, warnings: Warnings) -> None:
        self._collector, self._thread, self._warnings = collector, thread, warnings

    async def metrics(self, request: web.Request) -> web.Response:
        """The exposition; 200 also when Redis is down, since ``redis_up`` reports that."""
        collected = await self._collector.scrape(budget(request.headers.get(_SCRAPE_TIMEOUT)))
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE, hdrs.VARY: hdrs.ACCEPT_ENCODING}
        if not accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            return web.Response(body=collected.text, headers=headers)
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        if len(collected.text) > _SMALL:
            await self._thread.run(lambda: collected.gzipped)
        return web.Response(body=collected.gzipped, headers=headers)

    async def page(self, _: web.Request) -> web.Response:
        """The status page."""
        collected = await self._collector.scrape(DEFAULT_BUDGET)
        html = await self._thread.run(lambda: page(self._status(collected)))
        return web.Response(
            body=html.encode(errors="backslashreplace"), content_type="text/html", charset="utf-8"
        )

    async def json(self, _: web.Request) -> web.Response:
        """The status for scripts."""
        collected = await self._collector.scrape(DEFAULT_BUDGET)
        body = await self._thread.run(lambda: to_json(self._status(collected)))
        return web.Response(body=body, content_type="application/json")

    async def healthy(self, _: web.Request) -> web.Response:
        """The process runs."""
        return web.Response(text="The exporter runs.\n")

    async def ready(self, _: web.Request) -> web.Response:
        """The last read of Redis can be published."""
        if not self._collector.trouble:
            return web.Response(text="The last read of Redis succeeded.\n")
        return web.Response(text=f"Not ready: {self._collector.trouble}\n", status=503)

    async def to_runbooks(self, _: web.Request) -> web.Response:
        """Redirect to the list: its links are relative, so that it works behind a proxy's path."""
        raise web.HTTPFound("runbooks/")

    async def runbooks(self, _: web.Request) -> web.Response:
        """The list of runbooks."""
        return web.Response(text=await self._thread.run(runbooks.index), content_type="text/html")

    async def runbook(self, request: web.Request) -> web.Response:
        """The runbook of one alert, its commands filled in for the queue of the query string."""
        alert, queue = request.match_info["alert"], request.query.get("queue", "")
        text = await self._thread.run(lambda: runbooks.runbook(alert, queue))
        if text is None:
            return web.Response(text="There is no runbook of this name.\n", status=404)
        return web.Response(text=text)

    def _status(self, collected: Collected) -> Status:
        errors = self._collector.error_totals()
        return status(collected, self._collector.settings, errors, self._warnings(collected))


def application(
    collector: Collector, thread: WorkerThread, warnings: Warnings, allows: Allows
) -> web.Application:
    """The routes; ``allows`` decides about each request, ``thread`` does what would block the event loop."""
    site = Site(collector, thread, warnings)
    app = web.Application(middlewares=[_guarded_by(allows), _reporting_bugs])
    app.add_routes(
        [
            web.get("/", site.page),
            web.get("/metrics", site.metrics),
            web.get("/api/v1/status", site.json),
            web.get("/-/healthy", site.healthy),
            web.get("/-/ready", site.ready),
            web.get("/runbooks", site.to_runbooks),
            web.get("/runbooks/", site.runbooks),
            web.get("/runbooks/{alert}", site.runbook),
        ]
    )
    app.on_response_prepare.append(_add_headers)
    return app


def _guarded_by(allows: Allows) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if await allows(request):
            return await handler(request)
        challenge = {hdrs.WWW_AUTHENTICATE: 'Basic realm="bioagents-exporter", charset="UTF-8"'}
        return web.Response(text="Unauthorized\n", status=401, headers=challenge)

    return guarded


@web.middleware
async def _reporting_bugs(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 500 for a bug, which was counted and logged where it happened."""
    try:
        return await handler(request)
    except CollectError:
        return web.Response(text="The exporter failed: see its log\n", status=500)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def budget(timeout: str | None) -> float:
    """Seconds to answer, from the scrape timeout in Prometheus' request."""
    try:
        seconds = float(timeout or "")
    except ValueError:
        return DEFAULT_BUDGET
    return max(seconds * _SHARE, _LEAST) if math.isfinite(seconds) else DEFAULT_BUDGET


def accepts_gzip(header: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip."""
    for part in header.lower().split(","):
        coding, _, parameters = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            quality = parameters.replace(" ", "").removeprefix("q=")
            return not quality or quality.strip("0.") != ""
    return False
