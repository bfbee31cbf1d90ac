"""What the reference workers are told through their environment.

============================== ================================== =========================
variable                       meaning                            default
============================== ================================== =========================
``BIOAGENTS_REDIS_URL``        the broker's Redis                 ``REDIS_URL``, without it
                                                                  redis://127.0.0.1:6379/0
``BIOAGENTS_REDIS_NAMESPACE``  Dramatiq's namespace               dramatiq
``BIOAGENTS_SPEED``            simulated seconds per real second  1
============================== ================================== =========================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

URLS: Final = ("BIOAGENTS_REDIS_URL", "REDIS_URL")  # the first that is set counts
NAMESPACE: Final = "BIOAGENTS_REDIS_NAMESPACE"
SPEED: Final = "BIOAGENTS_SPEED"

DEFAULT_URL: Final = "redis://127.0.0.1:6379/0"
DEFAULT_NAMESPACE: Final = "dramatiq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The three settings of a reference worker."""

    redis_url: str = field(default=DEFAULT_URL, repr=False)  # may carry a password
    namespace: str = DEFAULT_NAMESPACE
    speed: float = 1.0  # simulated seconds per real second

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Take the settings from ``variables``; ValueError names the variable and what was expected."""
        try:
            speed = parse_speed(variables.get(SPEED, "1"))
        except ValueError as error:
            raise ValueError(f"{SPEED}: {error}") from None
        return cls(
            redis_url=redis_url(variables),
            namespace=variables.get(NAMESPACE, DEFAULT_NAMESPACE),
            speed=speed,
        )

    def variables(self) -> dict[str, str]:
        """The environment that :meth:`read` turns into this value again."""
        return {URLS[0]: self.redis_url, NAMESPACE: self.namespace, SPEED: repr(self.speed)}


def redis_url(variables: Mapping[str, str]) -> str:
    """The Redis URL that ``variables`` name, or the default."""
    return next((variables[name] for name in URLS if name in variables), DEFAULT_URL)


def parse_speed(text: str) -> float:
    """A positive, finite number; ValueError otherwise."""
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise ValueError(f"{text!r} is no positive number")
    return speed
