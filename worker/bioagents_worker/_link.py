"""The flusher's own connection to Redis.

A client of redis-py sends a command again if the reply is lost, and its pool may silently connect to another
server. The transport must notice both, so it uses a plain connection: every error closes it, no command is
sent twice, and the ``run_id`` of the server is read once for each connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from bioagents_worker._transport import NotSent, Reply, Request
from bioagents_worker.wire import Keys

#: Seconds to wait for a connection or a reply; the flusher waits in a thread of its own.
TIMEOUT: Final = 5.0


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
        self._run_id = ""

    def flush(self, caller: str, request: Request, *, kind: str, beat: str = "") -> Reply:
        """One call of the script.

        Raises:
            NotSent: No connection could be made.
            redis.RedisError, OSError: No reply, or an error reply; the call may have been applied.
        """
        try:
            self._connect()
        except (redis.RedisError, OSError) as error:
            raise NotSent(error) from error
        names, argv = flush_arguments(self._keys, caller, self._run_id, request, kind=kind, beat=beat)
        epoch, stored, fleet, time_us = self._evaluate(self._flush, names, argv)
        return Reply(int(epoch), int(stored), int(fleet), int(time_us))

    def reap(self, callers: list[bytes], age: float) -> int:
        """Remove those of ``callers`` that have not called for ``age`` seconds; return how many."""
        keys = self._keys
        names = [keys.seqs, keys.beats, keys.producers, keys.gone]
        return int(self._evaluate(self._reap, names, [int(age * 1_000_000), *callers]))

    def command(self, *args: Any) -> Any:  # noqa: ANN401 - Redis' replies have many types
        """Any other command."""
        self._connect()
        return self._send(*args)

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def _evaluate(self, script: Script, names: list[str], argv: list[Any]) -> Any:  # noqa: ANN401 - as command
        self._connect()
        try:
            return self._send("EVALSHA", script.sha, len(names), *names, *argv)
        except NoScriptError:  # nothing was applied, so a second call is safe
            self._send("SCRIPT LOAD", script.source)
            return self._send("EVALSHA", script.sha, len(names), *names, *argv)

    def _send(self, *args: Any) -> Any:  # noqa: ANN401 - as command
        if self._connection is None:
            raise redis.ConnectionError("the connection was lost")
        # A name from a message may be invalid Unicode, for which redis-py would reject the whole command.
        parts = [arg.encode(errors="backslashreplace") if isinstance(arg, str) else arg for arg in args]
        try:
            # No health check: it could reconnect, perhaps to another server.
            self._connection.send_command(*parts, check_health=False)
            return self._connection.read_response()
        except NoScriptError:
            raise
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        if self._connection is not None:
            return
        connection = _connection(self._client, self._keys.seqs)
        connection.connect()
        self._connection = connection
        self._run_id = _run_id(self._send("INFO", "server"))


def _connection(client: Any, key: str) -> Any:  # noqa: ANN401 - see Link
    """A connection outside the client's pool, to the node that has our keys."""
    if hasattr(client, "get_node_from_key"):  # redis.RedisCluster
        client = client.get_redis_connection(client.get_node_from_key(key))
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
