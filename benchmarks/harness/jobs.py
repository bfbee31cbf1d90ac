"""Jobs put into Dramatiq's keys directly: the same bytes as its broker writes, much faster."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from dramatiq import Message

from harness.raw_redis import Command, RawRedis
from support.polling import wait_until

STAGE = "staged"  # a namespace without workers


def message(queue: str, actor: str, *args: object) -> tuple[str, bytes]:
    """The id of a new job in Redis, and its message."""
    id_ = str(uuid.uuid4())
    made: Message[None] = Message(
        queue_name=queue, actor_name=actor, args=args, kwargs={}, options={"redis_message_id": id_}
    )
    return id_, made.encode()


def enqueue(queue: str, actor: str, count: int, *, namespace: str = "dramatiq") -> Iterator[Command]:
    """Commands that enqueue this many jobs without arguments."""
    for _ in range(count):
        id_, body = message(queue, actor)
        yield "HSET", f"{namespace}:{queue}.msgs", id_, body
        yield "RPUSH", f"{namespace}:{queue}", id_


def release(queue: str) -> list[Command]:
    """Commands that make all staged jobs of a queue appear at once; the queue must be empty."""
    names = (f"{queue}.msgs", queue)  # a worker that sees an id must find its message
    return [("RENAME", f"{STAGE}:{name}", f"dramatiq:{name}") for name in names]


def left(redis: RawRedis, queue: str) -> int:
    """The number of jobs that are not done."""
    count = redis.call("HLEN", f"dramatiq:{queue}.msgs")
    return count if isinstance(count, int) else 0


def wait_done(redis: RawRedis, *queues: str, timeout: float = 120.0) -> None:
    wait_until(
        lambda: not any(left(redis, queue) for queue in queues),
        timeout=timeout,
        interval=0.01,
        what="jobs done",
    )
