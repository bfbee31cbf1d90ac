"""What can be wrong with settings.

Exception
└── SettingsError    one line: the value, where it came from and what was expected
"""

from __future__ import annotations


class SettingsError(Exception):
    """A setting that cannot be used; the message is one line and holds no secret."""
