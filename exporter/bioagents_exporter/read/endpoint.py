"""Where Redis is: a URL of redis-py, or the primary that Sentinels name; redis-py does the handshake.

TLS, ACL users, database, Unix sockets and their options are written as in redis-py. Sentinel:
``redis+sentinel://[user:password@]host1:26379,host2:26379/<primary's name>[/<db>][?option=value]``; user,
password and options are those of Redis, ``sentinel_username`` and ``sentinel_password`` in the query those
of the Sentinels; ``rediss+sentinel`` uses TLS with both.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, parse_url
from redis.retry import Retry

from bioagents_exporter.read.errors import Cause, EndpointError, ReadError
from bioagents_exporter.settings import Secret
from bioagents_exporter.settings.redis_url import Address, address_of

TIMEOUT: Final = 5.0  # seconds to connect, and between two pieces of an answer
SENTINEL_TIMEOUT: Final = 2.0  # seconds; there are several to ask
_SENTINEL_PORT: Final = 26379

#: Seconds; a shorter timeout of an application suits its own small requests, not a read of the whole fleet.
_SHORTEST_TIMEOUT: Final = 0.5
_TIMEOUTS: Final = ("socket_timeout", "socket_connect_timeout")
_EXPECTED: Final = (
    "expected redis://[user:password@]host:port/db, rediss://…, unix://path?db=… or "
    "redis+sentinel://host:port,host:port/name/db"
)
#: The last three: a host name that is none, an encoding or a TLS option that Python does not have.
_CONNECT_ERRORS: Final = (redis.RedisError, OSError, ValueError, LookupError, TypeError)
# CLIENT SETINFO is not for a read-only user: it would fill the ACL log with refusals.
_SILENT: Final = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters
    else {"lib_name": None, "lib_version": None}
)


class Endpoint(Protocol):
    """How to reach the one server that is read."""

    @property
    def label(self) -> str:
        """Address, user and database, for messages; never the password."""

    @property
    def wants_primary(self) -> bool:
        """Whether a server that turns out to be a replica is the wrong one."""

    def connect(self) -> AbstractConnection:
        """A connection after its handshake. Raises ReadError."""

    def move(self, host: str, port: int) -> bool:
        """Connect there from now on, as a cluster's node asked; False where that cannot be done."""


class Direct:
    """One server, by host and port or by the path of its socket."""

    wants_primary = False

    def __init__(self, options: dict[str, Any]) -> None:
        self._class: type[AbstractConnection] = options.pop("connection_class", Connection)
        self._name: str = options.pop("client_name", "")
        self._options = {**dict.fromkeys(_TIMEOUTS, TIMEOUT), **options, **_fixed()}
        self._class(**self._options)  # options that redis-py refuses show here, not at the first read
        self._moved: dict[str, Any] = {}

    @property
    def address(self) -> str:
        """Host and port, or the path of the socket."""
        options = {"host": "localhost", "port": 6379, **self._options, **self._moved}
        return str(options.get("path") or f"{options['host']}:{options['port']}")

    @property
    def label(self) -> str:
        """Address, user and database."""
        user = self._options.get("username") or "default"
        return f"{self.address} (user {user!r}, db {self._options.get('db', 0)})"

    def connect(self) -> AbstractConnection:
        """Connect and authenticate. Raises ReadError."""
        link = self._class(**(self._options | self._moved))
        try:
            link.connect()  # type: ignore[no-untyped-call] # redis-py is not typed here
            self._give_name(link)
        except _CONNECT_ERRORS as error:
            self._moved = {}  # the next attempt asks the configured address again
            raise _error_of(error) from error
        return link

    def _give_name(self, link: Any) -> None:  # noqa: ANN401 - redis-py is not typed here
        """Give the connection its name; a user of Redis who may not do so has a connection without a name."""
        if self._name:
            link.send_command("CLIENT", "SETNAME", self._name)
            with contextlib.suppress(redis.ResponseError):
                link.read_response()

    def move(self, host: str, port: int) -> bool:
        """Connect there from now on; an empty host is the present one."""
        if "path" in self._options:
            return False
        self._moved = {"host": host, "port": port} if host else {"port": port}
        return True


class ViaSentinel:
    """The primary that the first answering Sentinel names; Sentinel is asked again at every connection."""

    wants_primary = True

    def __init__(self, sentinels: list[Direct], name: str, options: dict[str, Any]) -> None:
        self._sentinels, self._name, self._options = sentinels, name, options
        Direct({**options})  # options that redis-py refuses show here
        self._primary: Direct | None = None

    @property
    def label(self) -> str:
        """The primary's label once it is known, before that the Sentinels'."""
        if self._primary is not None:
            return f"{self._primary.label}, primary {self._name!r}"
        addresses = ", ".join(sentinel.address for sentinel in self._sentinels)
        return f"primary {self._name!r} of Sentinel {addresses}"

    def connect(self) -> AbstractConnection:
        """Ask, then connect. Raises ReadError."""
        self._primary = None
        host, port = self._ask()
        self._primary = Direct({**self._options, "host": host, "port": port})
        return self._primary.connect()

    def move(self, host: str, port: int) -> bool:
        """Never: Sentinel and cluster exclude each other."""
        del host, port
        return False

    def _ask(self) -> tuple[str, int]:
        reasons = []
        for sentinel in self._sentinels:
            try:
                address = _address(sentinel, self._name)
            except ReadError as error:
                reasons.append(f"{sentinel.address}: {error.reason}")
            else:
                if address:
                    return address
                reasons.append(f"{sentinel.address} knows no primary of this name")
        raise ReadError(Cause.REDIS_UNREACHABLE, "; ".join(reasons))


def endpoint_of(url: Secret) -> Endpoint:
    """The endpoint that a URL names. Raises EndpointError."""
    try:
        return _endpoint(url.reveal())
    except (ValueError, TypeError, redis.RedisError):
        # The reason would quote pieces of the URL, those of a password among them.
        raise EndpointError(f"Redis URL {url} cannot be used: {_EXPECTED}") from None


def _endpoint(url: str) -> Endpoint:
    address = address_of(url)
    return _via_sentinel(address) if address.sentinel else Direct(_options(address.client_url()))


def _via_sentinel(address: Address) -> ViaSentinel:
    name, _, database = address.path.strip("/").partition("/")
    credentials, at, hosts = address.authority.rpartition("@")
    options = _options(f"{address.scheme}://{credentials}{at}sentinel/{database}?{address.query}")
    passed = dict(parse_qsl(address.query))
    own: dict[str, Any] = {key: passed.get(f"sentinel_{key}") for key in ("username", "password")}
    own |= {key: value for key, value in options.items() if key.startswith("ssl_")}
    own |= dict.fromkeys(_TIMEOUTS, SENTINEL_TIMEOUT)
    own["connection_class"] = options.get("connection_class", Connection)
    sentinels = []
    for host in hosts.split(","):
        where = urlsplit(f"redis://{host}")
        sentinels.append(Direct({"host": where.hostname, "port": where.port or _SENTINEL_PORT, **own}))
    return ViaSentinel(sentinels, name, options)


def _options(url: str) -> dict[str, Any]:
    """What redis-py reads in a URL, without options that this kind of connection does not have."""
    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call] # redis-py is not typed here
    kind = options.get("connection_class", Connection)
    known = {name for base in kind.__mro__ for name in inspect.signature(base).parameters}
    for name in {*_TIMEOUTS} & {*options}:
        options[name] = max(options[name], _SHORTEST_TIMEOUT)
    if options.get("password"):  # a server without a password takes one from `default`, as redis-py sends it
        options.setdefault("username", "default")
    return {name: value for name, value in options.items() if name in known or name == "connection_class"}


def _address(sentinel: Direct, name: str) -> tuple[str, int] | None:
    """The address of the primary by one Sentinel; None if it does not know the primary."""
    link: Any = sentinel.connect()
    try:
        link.send_command("SENTINEL", "get-master-addr-by-name", name)
        reply = link.read_response()
    except (redis.RedisError, OSError) as error:
        raise _error_of(error) from error
    finally:
        link.disconnect()
    return (reply[0].decode(), int(reply[1])) if reply else None


def _error_of(error: Exception) -> ReadError:
    """The read error for what redis-py raised while it connected."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (redis.AuthenticationError, redis.exceptions.NoPermissionError)):
        return ReadError(Cause.REDIS_DENIED, reason)
    if isinstance(error, redis.BusyLoadingError):
        return ReadError(Cause.REDIS_LOADING, reason)
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError, OSError)):
        return ReadError(Cause.REDIS_UNREACHABLE, reason)
    return ReadError(Cause.REDIS_ERROR, reason)


def _fixed() -> dict[str, Any]:
    """What no URL may change: the protocol that we parse, and no retries, which only delay the answer."""
    return {
        "protocol": 2,
        "decode_responses": False,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 0),
        **_SILENT,
    }
