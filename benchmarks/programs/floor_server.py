"""A minimal exporter in aiohttp: one pipelined read, then a constant body.

Usage: floor_server.py PORT REDIS_PORT QUEUES BODY_BYTES (REDIS_PORT 0: no read at all)
"""

from __future__ import annotations

import sys

import redis
from aiohttp import web

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def application(redis_port: int, queues: int, size: int) -> web.Application:
    client = redis.Redis(port=redis_port) if redis_port else None
    body = (b"# " + b"x" * 61 + b"\n") * (size // 64)

    async def metrics(_request: web.Request) -> web.Response:
        if client is not None:
            read(client, queues)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    return app


def read(client: redis.Redis, queues: int) -> None:
    """Depth by state and the head of each queue, all totals and heartbeats, and the server's INFO.

    Blocks the event loop, as nothing else waits for it: a thread or an asynchronous client would cost more.
    """
    pipeline = client.pipeline(transaction=False)
    pipeline.info()
    pipeline.hgetall("bioagents:{dramatiq}:v1:beats")
    for i in range(queues):
        name = f"dramatiq:queue-{i:04}"
        pipeline.llen(name)
        pipeline.hlen(f"{name}.msgs")
        pipeline.hlen(f"{name}.DQ.msgs")
        pipeline.zcount(f"{name}.XQ", "-inf", "+inf")
        pipeline.lindex(name, 0)
        pipeline.hgetall(f"bioagents:{{dramatiq}}:v1:totals:queue-{i:04}")
    pipeline.execute()


if __name__ == "__main__":
    port, redis_port, queues, size = map(int, sys.argv[1:])
    web.run_app(application(redis_port, queues, size), host="127.0.0.1", port=port, print=None)
