"""Calls of Redis as seen by the flusher: whether they are answered, what is logged, how the clocks differ."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from bioagents_worker._failures import Failures
from bioagents_worker._link import IdleClosedError, Link, NoReplyError, RefusedError
from bioagents_worker._transport import NotSent, Reply, Request
from bioagents_worker._workers import Caller

logger = logging.getLogger(__name__)


class Calls:
    """The calls of one process, all from the flusher's thread. They log when Redis fails and works again."""

    def __init__(self, link: Link, failures: Failures) -> None:
        self._link, self._failures = link, failures
        self.reachable = True  # the last call was answered
        self.denied = False  # the last call was refused to this user, and would be again
        self.idle_closed = False  # the last call found its connection closed, and should be made again
        self.skew = 0.0  # this host's clock minus Redis' clock in seconds
        self._ahead_us = 0  # Redis' clock minus this host's clock

    @property
    def now_us(self) -> int:
        """The time by Redis' clock in µs."""
        return time.time_ns() // 1000 + self._ahead_us

    def flush(self, request: Request, caller: Caller) -> Reply | None:
        """Make the call that carries counts or a heartbeat; None if there was no reply.

        Raises:
            NotSent: No connection could be made.
        """
        before, self.idle_closed = time.time_ns(), False
        try:
            reply = self._link.flush(caller.id, request, kind=caller.kind, beat=caller.beat)
        except IdleClosedError:
            self.idle_closed = True
            return None
        except NotSent as error:
            self._failed(error, error.__cause__)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the call counts as unanswered
            self._failed(error, error)
            return None
        self._answered(reply, (before + time.time_ns()) // 2000)
        return reply

    def optionally(self, cause: str, action: Callable[[], object]) -> None:
        """Run an action that uses Redis and on which no count depends."""
        try:
            action()
        except RefusedError as error:
            text = f"Redis refuses what {cause} needs, counts go on without it"
            self._failures.add(cause, error, text, level=logging.WARNING)
        except NoReplyError as error:
            self._away(error)
        except Exception as error:  # noqa: BLE001 - a bug of ours; counts must not wait for it
            self._failures.add(cause, error, f"{cause} failed with {type(error).__name__}")

    def _answered(self, reply: Reply, middle_us: int) -> None:
        self._ahead_us = reply.time_us - middle_us
        self.skew = -self._ahead_us / 1e6
        if not self.reachable:
            logger.info("sending counts to Redis again")
        self.reachable, self.denied = True, False

    def _failed(self, error: Exception, cause: BaseException | None) -> None:
        self._away(error)
        self.denied = isinstance(cause, RefusedError) and cause.denied

    def _away(self, error: Exception) -> None:
        if self.reachable:
            logger.warning("cannot send counts to Redis, keeping them in memory: %s", error)
        self.reachable = False
