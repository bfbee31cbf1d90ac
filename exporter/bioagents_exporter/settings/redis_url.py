"""Redis URLs, checked before anything connects.

================================================================  ====================================
``redis://[user:password@]host[:port][/db]``                      plain TCP
``rediss://…``                                                    TLS
``unix://[user:password@]/path/of/socket``                        a Unix socket
``redis+sentinel://[user:password@]host[:port],…/name[/db]``      the primary that these Sentinels watch
``rediss+sentinel://…``                                           the same by TLS
================================================================  ====================================

User and password of a Sentinel URL are those of Redis; the Sentinels' own are the options
``sentinel_username`` and ``sentinel_password``. A password is percent-encoded where it holds one
of ``@:/?#``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl

from bioagents_cli.parsing import did_you_mean
from bioagents_exporter.settings import values
from bioagents_exporter.settings.errors import Secret

SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
#: Options after ``?``, all of redis-py, and how each is checked.
OPTIONS: Final[Mapping[str, Callable[[str], object]]] = {
    "db": values.count,
    "username": str,
    "password": str,
    "client_name": values.name,
    "socket_timeout": values.seconds,
    "socket_connect_timeout": values.seconds,
    "ssl_ca_certs": values.file,
    "ssl_certfile": values.file,
    "ssl_keyfile": values.file,
    "ssl_cert_reqs": values.one_of("none", "optional", "required"),
    "ssl_check_hostname": values.boolean,
}
SENTINEL_OPTIONS: Final[Mapping[str, Callable[[str], object]]] = {
    **OPTIONS,
    "sentinel_username": str,
    "sentinel_password": str,
}
_HIGHEST_PORT: Final = 65535
#: As RFC 3986 has it; urlsplit refuses a list of hosts with an IPv6 address in it.
_PARTS: Final = re.compile(r"([^:/?#]+)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_HOST: Final = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_EXPECTED: Final = (
    "expected redis://[user:password@]host[:port][/db], rediss://…, unix:///path or "
    "redis+sentinel://host[:port],…/name[/db]"
)
_ENCODE: Final = f"{_EXPECTED}; blanks and @:/?# of a password are percent-encoded"


def redis_url(text: str) -> Secret:
    """``text`` as a secret; ValueError, which repeats nothing secret, where it is not a valid Redis URL."""
    if not text.startswith(tuple(f"{scheme}://" for scheme in SCHEMES)):
        raise ValueError(_EXPECTED)
    parts = _split(text)
    sentinel = parts.scheme.endswith("+sentinel")
    tls = parts.scheme.startswith("rediss")
    _check_options(parts.query, SENTINEL_OPTIONS if sentinel else OPTIONS, tls=tls)
    if parts.scheme == "unix":
        _check_socket(parts)
        return Secret(text)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if len(hosts) > 1 and not sentinel:
        raise ValueError("expected one host: only redis+sentinel:// takes several")
    for host in hosts:
        _check_host(host)
    _check_path(parts.path.strip("/"), sentinel=sentinel)
    return Secret(text)


def _split(text: str) -> SplitResult:
    match = _PARTS.fullmatch(text)
    if not match:
        raise ValueError(_EXPECTED)
    parts = SplitResult(*(part or "" for part in match.groups()))
    if parts.fragment or re.search(r"\s", text):
        raise ValueError(_ENCODE)
    return parts


def _check_socket(parts: SplitResult) -> None:
    if parts.path in {"", "/"} or parts.netloc.rpartition("@")[2]:
        raise ValueError("expected the whole path of a Unix socket, such as unix:///run/redis.sock")


def _check_host(text: str) -> None:
    match = _HOST.fullmatch(text)
    if not match or int(match[1] or 0) > _HIGHEST_PORT:
        raise ValueError(_ENCODE)


def _check_path(path: str, *, sentinel: bool) -> None:
    name, _, database = path.partition("/") if sentinel else ("", "", path)
    if sentinel and not name:
        raise ValueError("expected the name of the primary after the Sentinels, such as /mymaster")
    if not re.fullmatch(r"[0-9]{0,6}", database):
        raise ValueError("expected the database as a whole number at the end, such as /0")


def _check_options(query: str, known: Mapping[str, Callable[[str], object]], *, tls: bool) -> None:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if not re.fullmatch(r"[a-zA-Z_]+", name):  # perhaps a password with a ? in it: not to be repeated
            raise ValueError(_ENCODE)
        if name not in known:
            raise ValueError(f"unknown option {name}{did_you_mean(name, known)}: expected {', '.join(known)}")
        if name.startswith("ssl_") and not tls:
            raise ValueError(f"option {name}: expected rediss://, since redis:// does not encrypt")
        try:
            known[name](value)
        except ValueError as error:
            raise ValueError(f"option {name}: {error}") from None
