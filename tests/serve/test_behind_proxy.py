"""Every link works behind a reverse proxy that serves the exporter under a path of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import yaml
from aiohttp import ClientSession, web

from bioagents_cli.main import main
from serve.test_runbooks import links
from support.redis_server import RedisServer

from .conftest import Start

PATH: Final = "/fleet/"
_FORWARDED: Final = ("Content-Type", "Location")


@asynccontextmanager
async def proxy(backend: str) -> AsyncIterator[str]:
    """A proxy that cuts ``/fleet`` off and changes nothing else, as ``proxy_pass …/`` of nginx; its URL."""

    async def forward(request: web.Request) -> web.Response:
        if not request.path.startswith(PATH):
            return web.Response(status=404, text="outside")
        url = f"{backend}/{request.rel_url.raw_path.removeprefix(PATH)}"
        async with session.get(url, allow_redirects=False) as answer:
            headers = {name: answer.headers[name] for name in _FORWARDED if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)

    runner = web.ServerRunner(web.Server(forward))
    async with ClientSession() as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def crawl(start: str) -> dict[str, int]:
    """The status of every page that links and redirects lead to, by path."""
    found: dict[str, int] = {}
    queue = [start]
    async with ClientSession() as session:
        while queue:
            url = queue.pop()
            if urlsplit(url).path in found:
                continue
            async with session.get(url, allow_redirects=False) as answer:
                found[urlsplit(url).path] = answer.status
                html = await answer.text() if answer.content_type == "text/html" else ""
                targets = re.findall(r'(?:href|src|action)="?([^" >]+)', html)
                targets += [answer.headers["Location"]] if "Location" in answer.headers else []
                queue += [urljoin(url, target) for target in targets]
    return found


def test_links_stay_behind_the_proxy(redis_server: RedisServer, start: Start) -> None:
    """From the status page every page of the exporter can be reached, none outside of the proxy's path."""
    exporter = start("--redis.url", redis_server.url)

    async def pages() -> dict[str, int]:
        async with proxy(exporter.url) as address:
            return await crawl(f"{address}{PATH}")

    found = asyncio.run(pages())
    assert {path: code for path, code in found.items() if code != 200} == {}
    own = ("", "metrics", "api/v1/status", "-/healthy", "-/ready", "runbooks/")
    runbooks = (path.removeprefix("/") for path in links().values())
    assert {*found} == {f"{PATH}{path}" for path in (*own, *runbooks)}


def test_the_link_of_each_alert_leads_through_the_proxy(
    redis_server: RedisServer, start: Start, tmp_path: Path
) -> None:
    """With the proxy's address as ``rules --runbook-url``, also without the slash at the end of the list."""
    exporter = start("--redis.url", redis_server.url)

    async def pages() -> dict[str, int]:
        async with proxy(exporter.url) as address:
            main(["rules", "--runbook-url", f"{address}{PATH}runbooks", "--output", str(tmp_path / "rules")])
            texts = [yaml.safe_load(path.read_text()) for path in (tmp_path / "rules").glob("*.yml")]
            rules = [rule for text in texts for group in text["groups"] for rule in group["rules"]]
            found: dict[str, int] = {}
            for rule in rules:
                if "alert" in rule:
                    found |= await crawl(rule["annotations"]["runbook_url"])
            return found | await crawl(f"{address}{PATH}runbooks")

    found = asyncio.run(pages())
    assert found.pop(f"{PATH}runbooks") == 302
    assert {path: code for path, code in found.items() if code != 200} == {}
    assert {*found} >= {f"{PATH}{path.removeprefix('/')}" for path in links().values()}
