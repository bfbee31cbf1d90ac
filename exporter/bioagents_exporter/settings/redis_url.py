"""Redis URLs, checked before anything connects.

================================================================  ====================================
``redis://[user:password@]host[:port][/db]``                      plain TCP
``rediss://…``                                                    TLS
``unix://[user:password@]/path/of/socket``                        a Unix socket
``redis+sentinel://[user:password@]host[:port],…/name[/db]``      the primary that these Sentinels watch
``rediss+sentinel://…``                                           the same by TLS
================================================================  ====================================

``valkey`` and ``valkeys``, the schemes of valkey-py, are the same as ``redis`` and ``rediss``.

The URL of an application is valid as it is: redis-py reads it, and no check is stricter than redis-py.
Options that concern one connection are applied; those of pools, retries and replies are ignored. User and
password of a Sentinel URL are those of Redis; the Sentinels' own are the options ``sentinel_username`` and
``sentinel_password``. A password is percent-encoded where it holds one of ``@:/?#``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from bioagents_cli.parsing import did_you_mean
from bioagents_exporter.settings import values
from bioagents_exporter.settings.errors import Secret

#: Scheme of a URL → scheme that redis-py has for it.
SCHEMES: Final[Mapping[str, str]] = {
    "redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss",
    "redis+sentinel": "redis", "rediss+sentinel": "rediss",
}  # fmt: skip


def _timeout(text: str) -> float:
    """Seconds; zero and less too, which a Unix socket takes: what is too short for a read is made longer."""
    return values.number_of(text, "expected seconds as a number")


#: Options after ``?`` that are applied, all of redis-py, and how each is checked.
APPLIED: Final[Mapping[str, Callable[[str], object]]] = {
    "host": str,  # this one and the next two count where the URL names none
    "port": str,
    "path": str,
    "db": values.integer,
    "username": str,
    "password": str,
    "client_name": str,
    "encoding": str,
    "encoding_errors": str,
    "socket_timeout": _timeout,
    "socket_connect_timeout": _timeout,
    "socket_keepalive": str,
    "ssl_ca_certs": values.file,
    "ssl_ca_data": str,
    "ssl_ca_path": str,
    "ssl_certfile": values.file,
    "ssl_keyfile": values.file,
    "ssl_password": str,
    "ssl_cert_reqs": values.one_of("none", "optional", "required"),
    "ssl_check_hostname": str,
    "ssl_include_verify_flags": str,
    "ssl_exclude_verify_flags": str,
    "ssl_min_version": values.integer,
    "ssl_ciphers": str,
}
SENTINEL_OPTIONS: Final[Mapping[str, Callable[[str], object]]] = {
    **APPLIED,
    "sentinel_username": str,
    "sentinel_password": str,
}
#: Options of clients, pools, Cluster and Sentinel in redis-py and valkey-py that mean nothing for a reader.
IGNORED: Final = frozenset((
    "address_remap", "auto_close_connection_pool", "cache", "cache_allow_list", "cache_config",
    "cache_deny_list", "cache_enabled", "cache_factory", "cache_max_size", "cache_policy", "cache_ttl",
    "charset", "check_connection", "client_cache", "cluster_error_retry_attempts", "command_packer",
    "connection_class", "connection_pool", "connection_pool_class", "credential_provider",
    "decode_responses", "driver_info", "dynamic_startup_nodes", "errors", "event_dispatcher",
    "force_master_ip", "health_check_interval", "himport_registry", "is_master",
    "legacy_responses", "lib_name", "lib_version", "load_balancing_strategy",
    "maint_notifications_config", "maint_notifications_pool_handler", "maintenance_notification_hash",
    "maintenance_state", "max_connections", "min_other_sentinels", "nodes_flag", "orig_host_address",
    "orig_socket_connect_timeout", "orig_socket_timeout", "oss_cluster_maint_notifications_handler",
    "parser", "parser_class", "policy_resolver", "protocol", "queue_class",
    "read_from_replicas", "redis_connect_func", "reinitialize_steps", "require_full_coverage", "retry",
    "retry_on_error", "retry_on_timeout", "sentinel_kwargs", "sentinels", "service_name",
    "single_connection_client", "socket_keepalive_options", "socket_read_size", "socket_type", "ssl",
    "ssl_ocsp_context", "ssl_ocsp_expected_cert", "ssl_validate_ocsp", "ssl_validate_ocsp_stapled",
    "startup_nodes", "timeout", "unix_socket_path", "url", "valkey_connect_func",
))  # fmt: skip
_HIGHEST_PORT: Final = 65535
#: As RFC 3986 has it; urlsplit refuses a list of hosts with an IPv6 address in it.
_PARTS: Final = re.compile(r"([^:/?#]+)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:\[\]\s]*)(?::([0-9]{0,5}))?")
_EXPECTED: Final = (
    "expected redis://[user:password@]host[:port][/db], rediss://…, unix:///path or "
    "redis+sentinel://host[:port],…/name[/db]"
)
_ENCODE: Final = f"{_EXPECTED}; blanks and @:/?# of a password are percent-encoded"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """The parts of a valid URL; they hold the password."""

    scheme: str  # redis, rediss or unix
    sentinel: bool
    authority: str  # [user:password@]host[:port], several hosts of Sentinels
    path: str  # as in the URL, with its slash
    query: str  # the options that are applied

    def client_url(self) -> str:
        """The URL for redis-py, unless it is one of Sentinels."""
        return f"{self.scheme}://{self.authority}{self.path}?{self.query}"


def redis_url(text: str) -> Secret:
    """``text`` as a secret; ValueError, which repeats nothing secret, where it is not a valid Redis URL."""
    text = _clean(text)
    address_of(text)
    return Secret(text)


def address_of(text: str) -> Address:
    """The parts of a Redis URL; ValueError as :func:`redis_url`."""
    match = _PARTS.fullmatch(_clean(text))
    if not match or match[1].lower() not in SCHEMES:
        raise ValueError(_EXPECTED)
    name, authority, path, query, fragment = (part or "" for part in match.groups())
    scheme, sentinel = SCHEMES[name.lower()], name.lower().endswith("+sentinel")
    if "@" in fragment or ("@" in path and scheme != "unix"):  # the end of a password
        raise ValueError(_ENCODE)
    options = _options(query, SENTINEL_OPTIONS if sentinel else APPLIED, tls=scheme == "rediss")
    address = Address(scheme, sentinel, authority, path, urlencode(options))
    if sentinel:
        _check_sentinel(address)
    else:
        _check_direct(address, options)
    return address


def _clean(text: str) -> str:
    """Without what urlsplit, and so redis-py, leaves out: a line end from a file, for example."""
    return re.sub(r"[\t\r\n]", "", text).strip()


def _check_direct(address: Address, options: Container[str]) -> None:
    hosts = address.authority.rpartition("@")[2]
    if address.scheme == "unix":
        if address.path == "/" or not (address.path or "path" in options):
            raise ValueError("expected the whole path of a Unix socket, such as unix:///run/redis.sock")
    elif "," in hosts:
        raise ValueError("expected one host: only redis+sentinel:// takes several")
    else:  # without a host redis-py connects to localhost
        _check_host(hosts)
    try:
        urlsplit(address.client_url())
    except ValueError:  # its text may hold a part of the password
        raise ValueError(_ENCODE) from None


def _check_sentinel(address: Address) -> None:
    for host in address.authority.rpartition("@")[2].split(","):
        if not _check_host(host):
            raise ValueError(_EXPECTED)
    name, _, database = address.path.strip("/").partition("/")
    if not name:
        raise ValueError("expected the name of the primary after the Sentinels, such as /mymaster")
    if not re.fullmatch(r"[0-9]{0,6}", database):
        raise ValueError("expected the database as a whole number at the end, such as /0")


def _check_host(text: str) -> str:
    """The host of ``host[:port]``, which may be empty."""
    match = _HOST.fullmatch(text)
    if not match or int(match[2] or 0) > _HIGHEST_PORT:
        raise ValueError(_ENCODE)
    return match[1]


def _options(query: str, applied: Mapping[str, Callable[[str], object]], *, tls: bool) -> dict[str, str]:
    """The options that are applied; of an option that is repeated the first value, as redis-py has it."""
    given = {name: found[0] for name, found in parse_qs(query).items()}  # blank values are no values
    _refuse_unknown(query, given, applied)
    found = {name: given[name] for name in applied if name in given}
    for name, value in found.items():
        if name.startswith("ssl_") and not tls:
            raise ValueError(f"option {name}: expected rediss://, since redis:// does not encrypt")
        try:
            applied[name](value)
        except ValueError as error:
            raise ValueError(f"option {name}: {error}") from None
    return found


def _refuse_unknown(query: str, given: Iterable[str], applied: Iterable[str]) -> None:
    unknown = sorted({*given} - {*applied} - IGNORED)
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    if not all(map(str.isidentifier, names)) or (unknown and "@" in query):
        raise ValueError(_ENCODE)  # perhaps a password with a ? in it: not to be repeated
    if unknown:
        near = did_you_mean(unknown[0], [*applied, *IGNORED])
        expected = f"{', '.join(applied)}, or an option of redis-py's pools, which is ignored"
        raise ValueError(f"unknown option {unknown[0]}{near}: expected {expected}")
