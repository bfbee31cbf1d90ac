"""Redis URLs: what we accept, and their parts.

======================================================  ==============================================
``redis://[user:password@]host[:port][/db]``            plain TCP
``rediss://…``                                          TLS
``unix://[user:password@]/path/of/socket[?db=0]``       a Unix socket
``redis+sentinel://[user:password@]host[:port],…/name[/db]``   the primary ``name`` that these Sentinels watch
``rediss+sentinel://…``                                 the same by TLS
======================================================  ==============================================

User and password of a Sentinel URL are those of Redis; the Sentinels' own are the options
``sentinel_username`` and ``sentinel_password``. A password is percent-encoded where it holds one
of ``@:/?#``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bioagents_exporter.settings import values
from bioagents_exporter.settings.hints import did_you_mean
from bioagents_exporter.settings.secret import Secret

SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
#: Options after ``?``, all of redis-py, and how each is checked.
OPTIONS: Final[Mapping[str, Callable[[str], object]]] = {
    "db": values.count,
    "username": str,
    "password": str,
    "client_name": values.name,
    "socket_timeout": values.duration,
    "socket_connect_timeout": values.duration,
    "ssl_ca_certs": values.file,
    "ssl_certfile": values.file,
    "ssl_keyfile": values.file,
    "ssl_cert_reqs": values.one_of("none", "optional", "required"),
    "ssl_check_hostname": values.boolean,
    "sentinel_username": str,
    "sentinel_password": str,
}
REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
_HIGHEST_PORT: Final = 65535
_EXPECTED: Final = (
    "expected redis://[user:password@]host[:port][/db], rediss://…, unix:///path or "
    "redis+sentinel://host[:port],…/name[/db]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The parts of a Redis URL."""

    hosts: tuple[tuple[str, int], ...] = ()  # of Redis, or of the Sentinels; empty with a socket
    path: str = ""  # of a Unix socket
    tls: bool = False
    service: str = ""  # the name that the Sentinels know the primary by
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)  # the others of OPTIONS, as written


def redis_url(text: str) -> Secret:
    """A URL that :func:`parse` can take apart."""
    parse(text)
    return Secret(text)


def parse(text: str) -> Target:
    """The parts of ``text``; ValueError, without its secrets, where it is no Redis URL."""
    if not text.startswith(tuple(f"{scheme}://" for scheme in SCHEMES)):
        raise ValueError(_EXPECTED)
    parts = _split(text)
    options = _options(parts.query)
    user, password = _credentials(parts.netloc)
    path = _socket(parts) if parts.scheme == "unix" else ""
    service, number = ("", "") if path else _path(parts)
    return Target(
        hosts=() if path else _hosts(parts),
        path=path,
        tls=parts.scheme.startswith("rediss"),
        service=service,
        db=_db(options.pop("db", number) or "0"),
        username=options.pop("username", user),
        password=options.pop("password", password),
        options=options,
    )


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(_EXPECTED) from None
    if parts.fragment or re.search(r"\s", text):
        raise ValueError(f"{_EXPECTED}; a password's @:/?# and blanks are percent-encoded")
    return parts


def _socket(parts: SplitResult) -> str:
    if parts.path in {"", "/"}:
        raise ValueError("expected the path of a Unix socket, such as unix:///run/redis.sock")
    return unquote(parts.path)


def _credentials(netloc: str) -> tuple[str | None, str | None]:
    user, _, password = netloc.rpartition("@")[0].partition(":")
    return unquote(user) or None, unquote(password) or None


def _path(parts: SplitResult) -> tuple[str, str]:
    pieces = parts.path.strip("/").split("/") if parts.path.strip("/") else []
    if not parts.scheme.endswith("+sentinel"):
        if len(pieces) > 1:
            raise ValueError("expected a database number after the host, such as /0")
        return "", pieces[0] if pieces else ""
    if len(pieces) not in {1, 2}:
        raise ValueError(
            "expected the name of the primary after the Sentinels, such as /mymaster or /mymaster/0"
        )
    return unquote(pieces[0]), pieces[1] if len(pieces) > 1 else ""


def _hosts(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    sentinel = parts.scheme.endswith("+sentinel")
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if len(hosts) > 1 and not sentinel:
        raise ValueError("expected one host: only redis+sentinel:// takes several")
    return tuple(_host(host, SENTINEL_PORT if sentinel else REDIS_PORT) for host in hosts)


def _host(text: str, default_port: int) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", text)
    if not match or int(match[2] or default_port) > _HIGHEST_PORT:
        raise ValueError(_EXPECTED)
    return match[1].strip("[]"), int(match[2] or default_port)


def _db(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ValueError("expected the database as a whole number from 0, such as /0")
    return int(text)


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if not re.fullmatch(r"[a-zA-Z_]+", name):  # perhaps a password with a ? in it: not to be repeated
            raise ValueError(f"{_EXPECTED}; a password's @:/?# and blanks are percent-encoded")
        if name not in OPTIONS:
            raise ValueError(
                f"unknown option {name}{did_you_mean(name, OPTIONS)}: expected {', '.join(OPTIONS)}"
            )
        try:
            OPTIONS[name](value)
        except ValueError as error:
            raise ValueError(f"option {name}: {error}") from None
    return options
