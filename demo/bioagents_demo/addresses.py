"""Addresses of the demo's servers, all on this host."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; an empty host means every interface."""

    host: str
    port: int

    @classmethod
    def free(cls, host: str = "127.0.0.1") -> Self:
        """A port of ``host`` that was free a moment ago; OSError where ``host`` is none of this machine's."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((host, 0))
            return cls(host, int(probe.getsockname()[1]))

    def __str__(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> Address:
        """The address for a client on this host: every interface includes the loopback one."""
        loopback = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to recognise it
        return Address(loopback.get(self.host, self.host), self.port)

    @property
    def url(self) -> str:
        """``http://`` and the address for a client on this host, without a slash at the end."""
        return f"http://{self.reachable}"
