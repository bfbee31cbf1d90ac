"""Basic authentication."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import bcrypt
import pytest

from bioagents_exporter.serve.auth import Guard

USERS = {
    name: bcrypt.hashpw(password, bcrypt.gensalt(4))
    for name, password in {
        "prometheus": b"pass:word",
        "ünïcode": "pässwörd".encode(),
        "long": b"x" * 72,
    }.items()
}


def basic(user: str, password: str) -> str:
    """The header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def guard() -> Iterator[Guard]:
    """A guard with three users."""
    made = Guard(USERS)
    yield made
    made.close()


HEADERS = [
    (basic("prometheus", "pass:word"), True),
    (basic("ünïcode", "pässwörd"), True),
    (basic("long", "x" * 100), True),  # as bcrypt has it in every other program
    (basic("prometheus", "pass:word").replace("Basic", "bASIC"), True),
    (basic("prometheus", "pass"), False),
    (basic("prometheus", ""), False),
    (basic("prometheus", "pass:word\0"), False),
    (basic("nobody", "pass:word"), False),
    (basic("", ""), False),
    ("Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), False),
    ("Basic " + base64.b64encode(b"prometheus").decode(), False),
    ("Basic ???", False),
    ("Basic", False),
    ("Bearer " + base64.b64encode(b"prometheus:pass:word").decode(), False),
    ("", False),
    (None, False),
]


async def test_the_right_password_of_a_known_user(guard: Guard) -> None:
    """Asked twice: what is remembered is the same answer."""
    for _ in range(2):
        assert [(header, await guard.allows(header)) for header, _ in HEADERS] == HEADERS


async def test_a_password_is_checked_once(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bcrypt takes 50 ms on purpose; not every scrape must take that long."""
    checked: list[bytes] = []
    real = bcrypt.checkpw

    def check(password: bytes, stored: bytes) -> bool:
        checked.append(password)
        return real(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    for _ in range(3):
        assert await guard.allows(basic("prometheus", "pass:word"))
        assert not await guard.allows(basic("nobody", "x"))
    assert len(checked) == 2  # one of them for a user that does not exist, which takes as long


async def test_what_is_remembered_is_bounded(guard: Guard) -> None:
    """Wrong passwords do not fill the memory."""
    for n in range(150):
        assert not await guard.allows(basic("prometheus", f"guess {n}"))
    assert len(guard._results) == 100
    assert not [digest for digest in guard._results if b"guess" in digest]
    assert await guard.allows(basic("prometheus", "pass:word"))


async def test_without_users_everyone_passes() -> None:
    """And no thread is started."""
    guard = Guard({})
    assert await guard.allows(None)
    assert await guard.allows("nonsense")
    guard.close()
