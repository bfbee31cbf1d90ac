"""Errors of settings, and what may be shown of a value: never a password.

Exception
└── SettingsError    one line: the value, where it came from and what was expected
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
_SECRET_OPTION: Final = re.compile(r"(?i)([?&][^=&#]*(?:pass|secret|token)[^=&#]*=)[^&#]*")
_LONGEST: Final = 100


class SettingsError(Exception):
    """A setting that cannot be used; the message is one line and holds no secret."""


def shown(text: str) -> str:
    """A value for an error message: in quotes, on one line, without secrets, cut where it is long."""
    safe = masked(text) if "@" in text or "://" in text else text
    return repr(safe if len(safe) <= _LONGEST else safe[:_LONGEST] + "…")


def masked(text: str) -> str:
    """``text`` with the password of a URL replaced by ``***``.

    Broken URLs count too, so this looks for the last ``@`` and hides too much rather than too little: a
    user name without a password is hidden, since ``redis://secret@host`` is a common mistake.
    """
    scheme, slashes, rest = text.rpartition("//") if "@" not in text else text.partition("//")
    if not slashes:
        scheme, rest = "", text
    credentials, at, address = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    hidden = f"{user}:{HIDDEN}" if colon else HIDDEN
    return _SECRET_OPTION.sub(rf"\g<1>{HIDDEN}", f"{scheme}{slashes}{hidden}@{address}" if at else text)


class Secret:
    """A URL that prints without its password; only :meth:`reveal` gives the whole text."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The whole text: for the client library, never for a message."""
        return self._value

    def __str__(self) -> str:
        """The URL with ``***`` for its password."""
        return masked(self._value)

    def __repr__(self) -> str:
        """As :func:`str`, marked as a secret."""
        return f"Secret({masked(self._value)!r})"

    def __eq__(self, other: object) -> bool:
        """By the whole text."""
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        """By the whole text."""
        return hash(self._value)
