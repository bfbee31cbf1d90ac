"""An application on the web that enqueues: each request sends a round of the jobs of ``app``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app import send_round

Event = dict[str, object]


async def application(
    scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    """ASGI without a framework; the answer follows the last enqueue."""
    if scope["type"] != "http":  # uvicorn runs with --lifespan off
        raise ValueError(f"scope {scope['type']!r}: expected http")
    while (await receive()).get("more_body"):
        pass
    await asyncio.to_thread(send_round, 1)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
