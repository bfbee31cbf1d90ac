"""Addresses of Redis: what is understood, what is refused with one line and without a secret."""

from __future__ import annotations

import pytest

from bioagents_exporter.read.endpoint import endpoint_of
from bioagents_exporter.read.errors import EndpointError
from bioagents_exporter.settings import Secret

LABELS = {
    "redis://": "localhost:6379 (user 'default', db 0)",
    "redis://redis.example": "redis.example:6379 (user 'default', db 0)",
    "redis://redis.example:6380/2": "redis.example:6380 (user 'default', db 2)",
    "redis://reader:pass%2Fword@redis.example/": "redis.example:6379 (user 'reader', db 0)",
    "redis://:password@[::1]:6380/2": "::1:6380 (user 'default', db 2)",
    "rediss://redis.example:6380/2?ssl_cert_reqs=none": "redis.example:6380 (user 'default', db 2)",
    "redis://redis.example?db=5&socket_timeout=2": "redis.example:6379 (user 'default', db 5)",
    "redis://redis.example?protocol=3&decode_responses=yes": "redis.example:6379 (user 'default', db 0)",
    "unix:///run/redis.sock?db=2": "/run/redis.sock (user 'default', db 2)",
    "redis+sentinel://one/fleet": "primary 'fleet' of Sentinel one:26379",
    "redis+sentinel://reader:password@one:1,two:2,[::1]:3/fleet/4?sentinel_password=x": (
        "primary 'fleet' of Sentinel one:1, two:2, ::1:3"
    ),
    "rediss+sentinel://one/fleet?ssl_cert_reqs=none": "primary 'fleet' of Sentinel one:26379",
}
BAD_URLS = (
    "",
    "localhost:6379",
    "http://redis.example",
    "redis://:planted/secret@redis.example",
    "redis://:planted@redis.example:port/0",
    "redis://:planted@redis.example:99999/0",
    "redis+sentinel://:planted@one/fleet/database",
    "redis://:planted@redis.example/0?no_such_option=1",
    "redis://:planted@redis.example/0?socket_timeout=soon",
    "redis://:planted@[::1/0",
    "unix:///run/redis.sock?db=two&password=planted",
    "redis+sentinel://:planted@one:26379",
    "redis+sentinel://:planted@/fleet",
    "redis+sentinel://:planted@one:port/fleet",
    "amqp+sentinel://:planted@one/fleet",
)


def test_addresses() -> None:
    """The label names address, user and database, never the password."""
    assert {url: endpoint_of(Secret(url)).label for url in LABELS} == LABELS


def test_addresses_that_are_none() -> None:
    """One line with what was expected, and nothing of a password."""
    for url in BAD_URLS:
        with pytest.raises(EndpointError, match=r"expected redis://\[user:password@\]host:port/db") as caught:
            endpoint_of(Secret(url))
        assert "planted" not in str(caught.value), url
        assert "\n" not in str(caught.value), url
        assert caught.value.__cause__ is None, url
