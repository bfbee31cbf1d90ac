"""The environment variables of the reference workers.

============================== ================================== =========================
variable                       meaning                            default
============================== ================================== =========================
``BIOAGENTS_REDIS_URL``        the broker's Redis                 ``REDIS_URL``, without it
                                                                  redis://127.0.0.1:6379/0
``BIOAGENTS_REDIS_NAMESPACE``  Dramatiq's namespace               dramatiq
``BIOAGENTS_SPEED``            simulated seconds per real second  1
============================== ================================== =========================

An empty variable counts as not set, as it does for the exporter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

from bioagents_worker.wire import parse_namespace

T = TypeVar("T")

URLS: Final = ("BIOAGENTS_REDIS_URL", "REDIS_URL")  # the first that is set is used
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
    def read(
        cls,
        variables: Mapping[str, str],
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        speed: float | None = None,
    ) -> Self:
        """Read from ``variables`` what is not given; ValueError names the variable and what was expected."""
        if redis_url is None:
            redis_url = next((variables[name] for name in URLS if variables.get(name)), DEFAULT_URL)
        if namespace is None:
            namespace = _read(variables, NAMESPACE, parse_namespace, DEFAULT_NAMESPACE)
        if speed is None:
            speed = _read(variables, SPEED, parse_speed, 1.0)
        return cls(redis_url=redis_url, namespace=namespace, speed=speed)

    def variables(self) -> dict[str, str]:
        """The environment variables from which :meth:`read` builds this value again."""
        return {URLS[0]: self.redis_url, NAMESPACE: self.namespace, SPEED: repr(self.speed)}


def _read(variables: Mapping[str, str], name: str, parse: Callable[[str], T], default: T) -> T:
    text = variables.get(name)
    if not text:
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"${name}: {text!r}: {error}") from None


def parse_speed(text: str) -> float:
    """A positive, finite number; ValueError otherwise."""
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise ValueError("expected a positive number")
    return speed
