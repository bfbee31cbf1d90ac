"""The settings of an exporter as one frozen value."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bioagents_exporter.settings.limits import Limits
from bioagents_exporter.settings.secret import Secret

CollectWorkers = Literal["all", "host", "none"]

DEFAULT_REDIS_URL: Final = "redis://127.0.0.1:6379/0"
DEFAULT_NAMESPACE: Final = "dramatiq"
DEFAULT_PREFIX: Final = "bioagents_"
DEFAULT_LISTEN_ADDRESS: Final = ("127.0.0.1", 9877)
DEFAULT_HEARTBEAT_TIMEOUT: Final = 60.0
DEFAULT_DEAD_MESSAGE_TTL: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that people can set; :func:`bioagents_exporter.settings.load` validates it."""

    redis_url: Secret = field(default_factory=lambda: Secret(DEFAULT_REDIS_URL))
    redis_wait: bool = False  # start although Redis cannot be reached, and keep trying
    namespace: str = DEFAULT_NAMESPACE
    fleet: str = ""  # empty: the namespace
    prefix: str = DEFAULT_PREFIX
    listen_address: tuple[str, int] = DEFAULT_LISTEN_ADDRESS  # an empty host: every interface
    web_config_file: Path | None = None
    queues: tuple[str, ...] = ()  # known before anything of them is seen in Redis
    collect_workers: CollectWorkers = "all"
    heartbeat_timeout: float = DEFAULT_HEARTBEAT_TIMEOUT  # seconds, as the application's broker has it
    dead_message_ttl: float = DEFAULT_DEAD_MESSAGE_TTL  # seconds, as the application's broker has it
    limits: Limits = field(default_factory=Limits)
    host: str = field(default_factory=socket.gethostname)  # what heartbeats from this host say

    def __post_init__(self) -> None:
        """A fleet without a name of its own is called as its namespace."""
        if not self.fleet:
            object.__setattr__(self, "fleet", self.namespace)
