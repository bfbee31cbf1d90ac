"""What the reader needs of the settings."""

from __future__ import annotations

from typing import Protocol

from bioagents_exporter.settings import Secret


class ReadSettings(Protocol):
    """A part of :class:`bioagents_exporter.settings.Settings`."""

    @property
    def redis_url(self) -> Secret:
        """Where Redis is."""

    @property
    def namespace(self) -> str:
        """Dramatiq's."""

    @property
    def queues(self) -> tuple[str, ...]:
        """Known before anything of them is seen in Redis."""

    @property
    def heartbeat_timeout(self) -> float:
        """Seconds."""

    @property
    def dead_message_ttl(self) -> float:
        """Seconds."""
