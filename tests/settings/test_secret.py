"""A password in the URL of Redis is never printed."""

from __future__ import annotations

import copy
import json

import pytest

from bioagents_exporter.settings import Secret, Settings, SettingsError, masked
from bioagents_exporter.settings.load import load

PASSWORD = "hunter2"  # noqa: S105 - planted
URLS = {
    "redis://:hunter2@h:1/0": "redis://:***@h:1/0",
    "redis://user:hunter2@h/0": "redis://user:***@h/0",
    "redis://hunter2@h/0": "redis://***@h/0",
    "redis://:hun@ter2hunter2@h/0": "redis://:***@h/0",
    "redis://:hunter2/hunter2@h/0": "redis://:***@h/0",
    "redis://:hunter2//@h/0": "redis://:***@h/0",
    "redis://:hunter2?hunter2@h/0": "redis://:***@h/0",
    "redis://:hunter2#hunter2@h/0": "redis://:***@h/0",
    "redis:/:hunter2@h/0": "redis:***@h/0",
    ":hunter2@h": ":***@h",
    "hunter2@h": "***@h",
    "redis://h/0?password=hunter2": "redis://h/0?password=***",
    "redis://h/0?db=1&PASSWORD=hunter2&x=1": "redis://h/0?db=1&PASSWORD=***&x=1",
    "redis+sentinel://:hunter2@a:1,b:2/m?sentinel_password=hunter2": "redis+sentinel://:***@a:1,b:2/m?sentinel_password=***",
    "unix://:hunter2@/run/redis.sock": "unix://:***@/run/redis.sock",
    "redis://h:6379/0": "redis://h:6379/0",
    "no url at all": "no url at all",
}


SECRET_URLS = [url for url, shown in URLS.items() if "***" in shown]


def test_a_password_is_masked_however_broken_the_url() -> None:
    """Too much is hidden rather than too little."""
    assert {url: masked(url) for url in URLS} == URLS
    assert PASSWORD not in "".join(URLS.values())


def test_a_secret_prints_without_its_password() -> None:
    """In each way in which Python prints."""
    texts = [text for url in SECRET_URLS for text in printed(Secret(url))]
    assert [text for text in texts if PASSWORD in text] == []
    with pytest.raises(TypeError):
        json.dumps(Secret(SECRET_URLS[0]))
    assert [Secret(url).reveal() for url in SECRET_URLS] == SECRET_URLS


def printed(secret: Secret) -> list[str]:
    """A secret as text, alone, in settings and in collections."""
    settings = Settings(redis_url=secret)
    texts = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", "%s %r" % (secret, secret)]  # noqa: UP031 - as logging does
    return [*texts, repr(settings), str(settings), repr([secret]), repr({"a": secret})]


def test_no_error_repeats_a_password() -> None:
    """Whatever else is wrong with the URL, and wherever it is set."""
    urls = [url + end for url in SECRET_URLS for end in ("", "x y", "#", "?nonsense=1", ":port", "/a/b")]
    messages = [message for url in urls for message in (error({"redis.url": url}), error({}, REDIS_URL=url))]
    assert len(list(filter(None, messages))) > len(urls) / 2
    assert [message for message in messages if PASSWORD in message] == []


def error(flags: dict[str, str], **environ: str) -> str:
    """The error of these settings; empty where there is none."""
    try:
        load(flags, environ)
    except SettingsError as found:
        return str(found)
    return ""


def test_secrets_compare_by_their_text() -> None:
    """Settings are values."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), copy.copy(Secret("a"))}) == 1
    assert Secret("a") != "a"
