"""A producer with JobMetrics in this process: it enqueues the jobs of a fleet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker

from bioagents_worker import JobMetrics
from faults.app.actors import declare, declare_reports
from faults.background import background


class Producer:
    """Sends jobs by the names of their actors; stop it at the end."""

    def __init__(self, **broker: Any) -> None:  # noqa: ANN401 - RedisBroker is untyped
        self.broker: Any = RedisBroker(**broker)  # type: ignore[no-untyped-call]
        self._metrics = JobMetrics()
        self.broker.add_middleware(self._metrics)
        declare(self.broker)

    def send(
        self,
        actor: str,
        *args: object,
        times: int = 1,
        delay: int | None = None,
        **options: Any,  # noqa: ANN401 - Dramatiq's
    ) -> None:
        """Enqueue jobs; ``delay`` in milliseconds."""
        for _ in range(times):
            self.broker.get_actor(actor).send_with_options(args=args, delay=delay, **options)

    @contextmanager
    def traffic(self, actor: str, *args: object, per_second: float) -> Iterator[None]:
        """Enqueue jobs at a constant rate during the block; enqueues that Redis refuses are left out."""

        def enqueue(ended: threading.Event) -> None:
            while not ended.wait(1 / per_second):
                with suppress(redis.RedisError, OSError):
                    self.send(actor, *args)

        with background(enqueue):
            yield

    def declare_reports(self) -> None:
        """A queue that the workers do not consume."""
        declare_reports(self.broker)

    def stop(self) -> None:
        """Flush the last counts and close all connections."""
        self._metrics._stop()
        self.broker.client.connection_pool.disconnect()
