"""What can go wrong, as a tree.

MiddlewareError (dramatiq)
└── ConfigurationError    the application set us up wrongly; Dramatiq lets it through
"""

from __future__ import annotations

from dramatiq.middleware import MiddlewareError


class ConfigurationError(MiddlewareError):
    """``JobMetrics`` was set up in a way that cannot work; the message says what was expected."""
