"""Basic authentication against bcrypt hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from bioagents_exporter.serve.worker_thread import WorkerThread

_REMEMBERED: Final = 100  # credentials
_LONGEST: Final = 72  # bytes of a password that bcrypt looks at


class Guard:
    """Checks credentials; ``users`` maps names to bcrypt hashes, and without users every request passes.

    bcrypt takes some 50 ms on purpose: it runs on a thread of its own, and its results are remembered by a
    keyed digest of the credentials.
    """

    def __init__(self, users: Mapping[str, bytes]) -> None:
        self._users = users
        self._key = secrets.token_bytes(32)
        self._results: OrderedDict[bytes, bool] = OrderedDict()
        self._thread: WorkerThread | None = WorkerThread("auth") if users else None

    async def allows(self, authorization: str | None) -> bool:
        """Whether an ``Authorization`` header names one of the users with the right password."""
        if self._thread is None:
            return True
        given = _credentials(authorization)
        if given is None:
            return False
        digest = hmac.digest(self._key, b":".join(given), hashlib.sha256)
        if digest not in self._results:
            self._remember(digest, matches=await self._thread.run(lambda: self._check(*given)))
        return self._results[digest]

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def _check(self, user: bytes, password: bytes) -> bool:
        import bcrypt  # noqa: PLC0415 - loaded only where users are configured

        known = self._users.get(user.decode(errors="surrogateescape"))
        # For a user that does not exist the answer must take as long.
        stored = next(iter(self._users.values())) if known is None else known
        try:
            matches = bcrypt.checkpw(password[:_LONGEST], stored)
        except ValueError:  # a NUL byte in the password
            return False
        return matches and known is not None

    def _remember(self, digest: bytes, *, matches: bool) -> None:
        self._results[digest] = matches
        while len(self._results) > _REMEMBERED:
            self._results.popitem(last=False)


def _credentials(authorization: str | None) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
