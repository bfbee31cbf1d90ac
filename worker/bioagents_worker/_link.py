"""The flusher's own connection to Redis.

A client of redis-py sends a command again if the reply is lost, and its pool may silently connect to another
server. The transport must notice both, so it uses a plain connection: every error closes it, no flush is
sent twice, and the ``run_id`` of the server is read once for each connection.

The client may be of another package, such as valkey-py, whose exceptions have no base class in common with
those of redis-py. Therefore no exception is recognised by its class here, only by its text or its names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.backoff import NoBackoff
from redis.retry import Retry

from bioagents_worker._transport import NotSent, Reply, Request
from bioagents_worker.wire import Keys

#: Seconds to wait for a connection or a reply; the flusher waits in a thread of its own.
TIMEOUT: Final = 5.0
#: A server, a proxy or a firewall may have closed a connection that was not used for this number of seconds.
_IDLE: Final = 0.9
#: A firewall or a load balancer may drop one that was not used for this number of seconds, unknown to both
#: sides: a call on it would wait for its timeout.
_STALE: Final = 60.0
#: What Redis 6.2 and 7.0, and later versions, say if a command in a script is not permitted.
_DENIED_IN_SCRIPT: Final = ("user executing the script can't", "ACL failure in script")


class NoReplyError(Exception):
    """There was no reply, or an error reply; the call may have been applied."""


class IdleClosedError(NoReplyError):
    """The connection was idle, and closed by the other side when it was used again: no outage."""


class RefusedError(NoReplyError):
    """The server answered with an error; ``denied`` to this user, so that it would do so again."""

    def __init__(self, text: str, *, denied: bool) -> None:
        super().__init__(text)
        self.denied = denied


class _NoScriptError(NoReplyError):
    """The server does not have the script."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script in this package."""

    source: bytes
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the name that Redis gives to the script."""
        # SHA-1 because Redis uses it; this is not about security.
        object.__setattr__(self, "sha", sha1(self.source, usedforsecurity=False).hexdigest())

    @classmethod
    def load(cls, name: str) -> Script:
        """Read a script by its file name."""
        return cls((files("bioagents_worker") / name).read_bytes())


def flush_arguments(  # noqa: PLR0913 - the script's own arguments
    keys: Keys, caller: str, run_id: str, request: Request, *, kind: str, beat: str = ""
) -> tuple[list[str], list[str | int]]:
    """KEYS and ARGV of ``flush.lua``."""
    names = [keys.seqs, keys.beats, keys.producers, keys.gone, keys.queues]
    argv: list[str | int] = [caller, run_id, request.epoch, request.base, request.new, kind, beat]
    for queue, fields in request.counts.items():
        names.append(keys.totals(queue))
        argv += [queue, len(fields)]
        for name, n in fields.items():
            argv += [name, n]
    return names, argv


class Link:
    """A connection that is made at its first use and again after any error."""

    def __init__(self, client: Any, keys: Keys) -> None:  # noqa: ANN401 - redis-py's clients have no common base class
        """``client``: the broker's client, of which address, credentials and TLS settings are used."""
        self._client, self._keys = client, keys
        self._flush, self._reap = Script.load("flush.lua"), Script.load("reap.lua")
        self._connection: Any = None
        self._run_id, self._used = "", 0.0  # monotonic seconds of its last use

    def flush(self, caller: str, request: Request, *, kind: str, beat: str = "") -> Reply:
        """One call of the script.

        Raises:
            NotSent: No connection could be made.
            NoReplyError: The call may have been applied; after IdleClosedError the next one should follow at
                once.
        """
        try:
            self._connect()
        except NoReplyError as error:
            raise NotSent(error) from error
        names, argv = flush_arguments(self._keys, caller, self._run_id, request, kind=kind, beat=beat)
        epoch, stored, fleet, time_us = self._evaluate(self._flush, names, argv)
        return Reply(int(epoch), int(stored), int(fleet), int(time_us))

    def reap(self, callers: list[bytes], age: float) -> int:
        """Remove those of ``callers`` that have not called for ``age`` seconds; return how many.

        Raises:
            NoReplyError: As :meth:`command`.
        """
        keys = self._keys
        names = [keys.seqs, keys.beats, keys.producers, keys.gone]
        argv = [int(age * 1_000_000), *callers]
        return int(self._twice(lambda: self._evaluate(self._reap, names, argv)))

    def command(self, *args: Any) -> Any:  # noqa: ANN401 - Redis' replies have many types
        """Any other command; sent again if the connection was closed while it was idle.

        Raises:
            NoReplyError: No connection, no reply, or an error reply.
        """
        return self._twice(lambda: self._send(*args))

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def _twice(self, action: Callable[[], Any]) -> Any:  # noqa: ANN401 - as command
        """Run an action that may be applied twice."""
        try:
            self._connect()
            return action()
        except IdleClosedError:
            self._connect()
            return action()

    def _evaluate(self, script: Script, names: list[str], argv: list[Any]) -> Any:  # noqa: ANN401 - as command
        try:
            return self._send("EVALSHA", script.sha, len(names), *names, *argv)
        except _NoScriptError:  # nothing was applied, so a second call is safe
            self._send("SCRIPT LOAD", script.source)
            return self._send("EVALSHA", script.sha, len(names), *names, *argv)

    def _send(self, *args: Any) -> Any:  # noqa: ANN401 - as command
        if self._connection is None:
            raise NoReplyError("the connection was lost")
        # A name from a message may be invalid Unicode, for which redis-py would reject the whole command.
        parts = [arg.encode(errors="backslashreplace") if isinstance(arg, str) else arg for arg in args]
        now = time.monotonic()
        idle, self._used = now - self._used > _IDLE, now
        try:
            # No health check: it could reconnect, perhaps to another server.
            self._connection.send_command(*parts, check_health=False)
            return self._connection.read_response()
        except Exception as error:
            raise self._failure(error, idle=idle) from error
        except BaseException:
            self.close()
            raise

    def _failure(self, error: Exception, *, idle: bool) -> Exception:
        """What an exception of the client means; any but a missing script closes the connection."""
        text = str(error) or repr(error)
        if "NOSCRIPT" in text or "no matching script" in text.lower():  # redis-py cuts off the first word
            return _NoScriptError(text)
        self.close()
        if idle and _names(error) & {"ConnectionError", "OSError"}:
            return IdleClosedError(text)
        return _failure(error)

    def _connect(self) -> None:
        stale = time.monotonic() - self._used > _STALE
        if self._connection is not None and (stale or _is_closed(self._connection)):
            self.close()
        if self._connection is not None:
            return
        try:
            connection = _connection(self._client, self._keys.seqs)
            connection.connect()
        except Exception as error:
            raise _failure(error) from error
        self._connection, self._used = connection, time.monotonic()
        try:
            self._run_id = _run_id(self._send("INFO", "server"))
        except RefusedError:  # to this user, or unknown to this service: the sequences alone are left
            self._run_id = ""
            self._connection = connection  # `_send` closed it, and it connects again at its next use


def _failure(error: Exception) -> NoReplyError:
    """What an exception of the client means."""
    text, names = str(error) or repr(error), _names(error)
    denied = any(words in text for words in _DENIED_IN_SCRIPT)
    denied = denied or not names.isdisjoint({"NoPermissionError", "AuthenticationError"})
    if denied or ("ResponseError" in names and "ConnectionError" not in names):
        return RefusedError(text, denied=denied)
    return NoReplyError(text)


def _names(error: Exception) -> set[str]:
    """The names of an exception's classes, which redis-py and the clients derived from it share."""
    return {parent.__name__ for parent in type(error).__mro__}


def _is_closed(connection: Any) -> bool:  # noqa: ANN401 - see Link
    """Whether the other side has closed it, as far as this host knows, or sent something unasked."""
    try:
        return bool(connection.can_read(0))
    except Exception:  # noqa: BLE001 - any class, see above
        return True


def _connection(client: Any, key: str) -> Any:  # noqa: ANN401 - see Link
    """A connection outside the client's pool, to the node that has our keys."""
    if hasattr(client, "get_node_from_key"):  # RedisCluster, ValkeyCluster
        connect = getattr(client, "get_redis_connection", None) or client.get_valkey_connection
        client = connect(client.get_node_from_key(key))
    pool = client.connection_pool
    options = {
        **pool.connection_kwargs,
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_error": [],
        "decode_responses": False,
    }
    return pool.connection_class(**options)


def _run_id(info: Any) -> str:  # noqa: ANN401 - bytes, or str under some parsers
    """The ``run_id`` of INFO; empty if a managed service hides it."""
    text = info.decode(errors="replace") if isinstance(info, bytes) else str(info)
    for line in text.splitlines():
        if line.startswith("run_id:"):
            return line.removeprefix("run_id:").strip()
    return ""
