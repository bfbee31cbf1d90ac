"""Text that must not be printed: a URL with a password in it."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
_SECRET_OPTION: Final = re.compile(r"(?i)([?&][^=&#]*(?:pass|secret|token)[^=&#]*=)[^&#]*")


def masked(text: str) -> str:
    """``text`` with the password of a URL replaced by ``***``.

    Broken URLs count too, so this goes by the last ``@`` and hides too much rather than too little: a
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
    """A URL that prints without its password; :meth:`reveal` is the one way to the whole."""

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
