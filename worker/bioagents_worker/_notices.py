"""What a process says about its set-up: where its counts go, and which actors are not counted."""

from __future__ import annotations

import logging
from functools import cache, wraps
from typing import Any, Final
from weakref import WeakSet

from dramatiq import broker as brokers
from dramatiq.broker import Broker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware

logger = logging.getLogger(__name__)


def address(client: Any) -> str:  # noqa: ANN401 - redis-py's and valkey-py's clients have no common base class
    """Where a client of Redis connects to, as a URL without user, password and other options."""
    if hasattr(client, "get_default_node"):
        node = client.get_default_node()
        return f"redis://{node.host}:{node.port} and its cluster"
    pool = client.connection_pool
    options = pool.connection_kwargs
    database = options.get("db") or 0
    if hasattr(pool, "service_name"):
        return f"the primary {pool.service_name} of a Sentinel, database {database}"
    if options.get("path"):
        return f"unix://{options['path']}?db={database}"
    scheme = "rediss" if "SSL" in pool.connection_class.__name__ else "redis"
    host = options.get("host", "localhost")
    shown = f"[{host}]" if ":" in host else host  # as URLs show IPv6
    return f"{scheme}://{shown}:{options.get('port', 6379)}/{database}"


def report_start(client: Any, namespace: str) -> None:  # noqa: ANN401 - as address
    """Log where this process sends its counts."""
    try:
        where = address(client)
    except Exception:  # noqa: BLE001 - a client of any class; a log line stops nothing
        where = f"the address of its {type(client).__name__}"
    logger.info("JobMetrics reports to %s, namespace %s", where, namespace)


class Watch:
    """Looks for actors that are not counted: those of a broker without JobMetrics, while another one has it.

    A broker without JobMetrics calls no hook of ours, so Dramatiq's own ``declare_actor`` is wrapped.
    """

    def __init__(self) -> None:
        self.added: WeakSet[Middleware] = WeakSet()  # each JobMetrics that a broker has
        self.warned = False

    def add(self, metrics: Middleware) -> None:
        """A JobMetrics was added to a broker: look at the default broker, and at each later declaration."""
        self.added.add(metrics)
        self.look(brokers.global_broker)
        _wrap_declarations()

    def look(self, broker: Any) -> None:  # noqa: ANN401 - untyped in dramatiq 1
        """Warn, once in a process, if this broker has actors that are not counted."""
        if self.warned or not self.added or broker is None:
            return
        try:
            actor = self._uncounted(broker)
        except Exception:  # noqa: BLE001 - a proxy that leads to no broker yet; a warning stops nothing
            return
        if actor is not None:
            self.warned = True
            logger.warning(
                "actor %s is declared on a %s without JobMetrics, while another broker has it, so its jobs "
                "are not counted: call dramatiq.set_broker(broker) before actors are declared, or add "
                "JobMetrics to both",
                actor,
                type(broker).__name__,
            )

    def _uncounted(self, broker: Any) -> str | None:  # noqa: ANN401 - as above
        """The last actor of a broker without JobMetrics."""
        kinds = tuple(type(metrics) for metrics in self.added)
        if isinstance(broker, StubBroker) or any(isinstance(each, kinds) for each in broker.middleware):
            return None
        return next(reversed(broker.actors), None)


WATCH: Final = Watch()  # of this process


@cache
def _wrap_declarations() -> None:
    declare = Broker.declare_actor

    @wraps(declare)
    def declare_actor(broker: Any, actor: Any) -> None:  # noqa: ANN401 - as above
        declare(broker, actor)
        WATCH.look(broker)

    Broker.declare_actor = declare_actor  # type: ignore[assignment,method-assign] # see Watch
