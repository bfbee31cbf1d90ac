"""What settings accept as a Redis URL, the reader can use."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bioagents_exporter.read.endpoint import endpoint_of
from bioagents_exporter.settings.redis_url import APPLIED, redis_url

#: A good value for each option that does not take any text.
GOOD = {
    "db": "1",
    "socket_timeout": "0.5",
    "socket_connect_timeout": "2",
    "ssl_ca_certs": "{file}",
    "ssl_certfile": "{file}",
    "ssl_keyfile": "{file}",
    "ssl_cert_reqs": "none",
    "port": "6380",
    "ssl_min_version": "771",
    "ssl_include_verify_flags": "VERIFY_X509_STRICT",
    "ssl_exclude_verify_flags": "VERIFY_X509_STRICT",
}


URLS = [
    "redis://h",
    "redis://h/",
    "redis://h:1/2",
    "redis://:p%40%2F%3A%23%3F@h:1/2",
    "redis://u:p@[::1]:6379/0",
    "rediss://u:p@h/0",
    "unix:///run/redis.sock",
    "unix://u:p@/run/redis.sock?db=3",
    "redis+sentinel://a/name",
    "redis+sentinel://u:p@a:1,b,[::1]:3/name/4?sentinel_username=x&sentinel_password=y",
    "rediss+sentinel://a:1/name?ssl_cert_reqs=none",
    "valkey://h/1",
    "valkeys://h/1?ssl_cert_reqs=none",
]


def test_a_url_that_is_accepted_can_be_used() -> None:
    """No second, different error after the first check."""
    for url in URLS:
        assert endpoint_of(redis_url(url)).label, url


def test_an_option_that_is_accepted_can_be_used(tmp_path: Path) -> None:
    """By redis-py, which gives them to the connection."""
    file = tmp_path / "file.pem"
    file.touch()
    for option in APPLIED:
        value = GOOD.get(option, "text").format(file=file)
        for scheme in ("rediss://h", "rediss+sentinel://h/name"):
            assert endpoint_of(redis_url(f"{scheme}?{option}={value}")).label


def test_tls_options_need_tls(tmp_path: Path) -> None:
    """``redis://`` does not encrypt, whatever the options are."""
    with pytest.raises(ValueError, match="option ssl_cert_reqs: expected rediss://"):
        redis_url("redis://h?ssl_cert_reqs=none")
    with pytest.raises(ValueError, match="option ssl_ca_certs: expected the path of a file"):
        redis_url(f"rediss://h?ssl_ca_certs={tmp_path}/gone.pem")


def test_a_password_that_is_not_encoded_is_not_repeated() -> None:
    """Wherever its ``?``, ``#``, ``/``, ``&`` or ``=`` cuts the URL, the message holds no piece of it."""
    for sign in itertools.product("?#/&=:@", repeat=2):
        password = f"1{sign[0]}planted{sign[1]}planted"
        message = answer(f"redis://user:{password}@redis.example/0")
        assert "planted" not in message, password
        assert "percent-encoded" in message or message.startswith("redis.example"), password


def answer(url: str) -> str:
    """The address of a valid URL, or the error."""
    try:
        return endpoint_of(redis_url(url)).label
    except ValueError as error:
        return str(error)
