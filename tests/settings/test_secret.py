"""A password in the URL of Redis is never printed."""

from __future__ import annotations

import copy
import json

import pytest

from bioagents_exporter.settings import Secret, Settings, SettingsError, masked
from bioagents_exporter.settings.load import load

PASSWORD = "hunter2"  # noqa: S105 - planted
URLS = [
    ("redis://:hunter2@h:1/0", "redis://:***@h:1/0"),
    ("redis://user:hunter2@h/0", "redis://user:***@h/0"),
    ("redis://hunter2@h/0", "redis://***@h/0"),
    ("redis://:hun@ter2hunter2@h/0", "redis://:***@h/0"),
    ("redis://:hunter2/hunter2@h/0", "redis://:***@h/0"),
    ("redis://:hunter2//@h/0", "redis://:***@h/0"),
    ("redis://:hunter2?hunter2@h/0", "redis://:***@h/0"),
    ("redis://:hunter2#hunter2@h/0", "redis://:***@h/0"),
    ("redis:/:hunter2@h/0", "redis:***@h/0"),
    (":hunter2@h", ":***@h"),
    ("hunter2@h", "***@h"),
    ("redis://h/0?password=hunter2", "redis://h/0?password=***"),
    ("redis://h/0?db=1&PASSWORD=hunter2&x=1", "redis://h/0?db=1&PASSWORD=***&x=1"),
    (
        "redis+sentinel://:hunter2@a:1,b:2/m?sentinel_password=hunter2",
        "redis+sentinel://:***@a:1,b:2/m?sentinel_password=***",
    ),
    ("unix://:hunter2@/run/redis.sock", "unix://:***@/run/redis.sock"),
    ("redis://h:6379/0", "redis://h:6379/0"),
    ("no url at all", "no url at all"),
]


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_a_password_is_masked_however_broken_the_url(url: str, shown: str) -> None:
    """Too much is hidden rather than too little."""
    assert masked(url) == shown
    assert PASSWORD not in masked(url)


@pytest.mark.parametrize("url", [url for url, shown in URLS if "***" in shown])
def test_a_secret_prints_without_its_password(url: str) -> None:
    """By each way in which Python prints."""
    secret = Secret(url)
    settings = Settings(redis_url=secret)
    texts = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", "%s %r" % (secret, secret)]  # noqa: UP031 - as logging does
    texts += [repr(settings), str(settings), repr([secret]), repr({"a": secret})]
    assert not [text for text in texts if PASSWORD in text]
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == url


@pytest.mark.parametrize("url", [url for url, shown in URLS if "***" in shown])
@pytest.mark.parametrize("end", ["", "x y", "#", "?nonsense=1", ":port", "/a/b"])
def test_no_error_repeats_a_password(url: str, end: str) -> None:
    """Whatever else is wrong with the URL."""
    for flags, environ in (({"redis.url": url + end}, {}), ({}, {"REDIS_URL": url + end})):
        try:
            load(flags, environ)
        except SettingsError as error:
            assert PASSWORD not in str(error)  # noqa: PT017 - some of the URLs are good


def test_secrets_compare_by_their_text() -> None:
    """Settings are values."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), copy.copy(Secret("a"))}) == 1
    assert Secret("a") != "a"
