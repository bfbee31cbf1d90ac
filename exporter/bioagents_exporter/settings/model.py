"""Every setting once, with flag, environment variable, YAML key and meaning; the frozen value they become."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, TypeVar

from bioagents_exporter.settings import values
from bioagents_exporter.settings.errors import Secret
from bioagents_exporter.settings.redis_url import redis_url
from bioagents_worker.wire import parse_namespace

T = TypeVar("T")

CollectWorkers = Literal["all", "host", "none"]

DEFAULT_REDIS_URL: Final = "redis://127.0.0.1:6379/0"
DEFAULT_NAMESPACE: Final = "dramatiq"
DEFAULT_PREFIX: Final = "bioagents_"
DEFAULT_LISTEN_ADDRESS: Final = ("127.0.0.1", 9877)
DEFAULT_HEARTBEAT_TIMEOUT: Final = 60.0
DEFAULT_DEAD_MESSAGE_TTL: Final = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """The limits of one queue; published as metrics, so that rules need no numbers."""

    depth: int = 50  # waiting jobs
    wait_seconds: float = 300.0  # age of the oldest waiting job
    drain_seconds: float = 600.0  # until the backlog is gone
    failure_ratio: float = 0.1  # of all attempts, 0 to 1
    min_workers: int = 1
    max_workers: int = 8
    job_duration_seconds: float | None = None  # of one attempt; None: by what the queue usually does


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of all queues: defaults, and whole sets for queues that differ."""

    defaults: QueueLimits = QueueLimits()
    queues: Mapping[str, QueueLimits] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, queue: str) -> QueueLimits:
        """The limits of one queue."""
        return self.queues.get(queue, self.defaults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; :func:`bioagents_exporter.settings.load.load` validates them."""

    redis_url: Secret = field(default_factory=lambda: Secret(DEFAULT_REDIS_URL))
    redis_wait: bool = False  # start even if Redis is unreachable, and keep retrying
    namespace: str = DEFAULT_NAMESPACE
    fleet: str = ""  # empty: the namespace
    prefix: str = DEFAULT_PREFIX
    listen_address: tuple[str, int] = DEFAULT_LISTEN_ADDRESS  # an empty host: every interface
    web_config_file: Path | None = None
    queues: tuple[str, ...] = ()  # published even before they exist in Redis
    collect_workers: CollectWorkers = "all"
    heartbeat_timeout: float = DEFAULT_HEARTBEAT_TIMEOUT  # seconds, as the application's broker has it
    dead_message_ttl: float = DEFAULT_DEAD_MESSAGE_TTL  # seconds, as the application's broker has it
    limits: Limits = field(default_factory=Limits)
    host: str = field(default_factory=socket.gethostname)  # as in the heartbeats of this host's workers

    def __post_init__(self) -> None:
        """A fleet without a name of its own has the name of its namespace."""
        if not self.fleet:
            object.__setattr__(self, "fleet", self.namespace)


@dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """One setting."""

    key: str  # as in the YAML file, nested by the dots; the flag is the same with two dashes
    parse: Callable[[str], T]
    metavar: str  # empty: a switch
    default: str  # as people read it
    help: str
    also: str = ""  # a second environment variable

    @property
    def flag(self) -> str:
        """``--redis.url``."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """``BIOAGENTS_REDIS_URL``."""
        return "BIOAGENTS_" + self.key.upper().replace(".", "_").replace("-", "_")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables; the first one that is set counts."""
        return (self.variable, self.also) if self.also else (self.variable,)


REDIS_URL: Final[Option[Secret]] = Option(
    "redis.url", redis_url, "URL", DEFAULT_REDIS_URL, also="REDIS_URL",
    help="Redis of the fleet: redis://, rediss://, unix:// or redis+sentinel://host,host/name",
)  # fmt: skip
REDIS_NAMESPACE: Final[Option[str]] = Option(
    "redis.namespace",
    parse_namespace,
    "NAME",
    DEFAULT_NAMESPACE,
    "namespace of the application's RedisBroker",
)
REDIS_WAIT: Final[Option[bool]] = Option(
    "redis.wait", values.boolean, "", "false", "start even if Redis is unreachable, and keep retrying"
)
REDIS_HEARTBEAT_TIMEOUT: Final[Option[float]] = Option(
    "redis.heartbeat-timeout",
    values.duration,
    "DURATION",
    "60s",
    "heartbeat_timeout of the application's RedisBroker",
)
REDIS_DEAD_MESSAGE_TTL: Final[Option[float]] = Option(
    "redis.dead-message-ttl",
    values.duration,
    "DURATION",
    "7d",
    "dead_message_ttl of the application's RedisBroker",
)
WEB_LISTEN_ADDRESS: Final[Option[tuple[str, int]]] = Option(
    "web.listen-address", values.address, "HOST:PORT", "127.0.0.1:9877",
    "address to listen on; :9877 is every interface, port 0 any free port",
)  # fmt: skip
WEB_CONFIG_FILE: Final[Option[Path]] = Option(
    "web.config.file",
    values.file,
    "FILE",
    "none",
    "TLS and basic authentication, in exporter-toolkit's format",
)
CONFIG_FILE: Final[Option[Path]] = Option(
    "config.file",
    values.file,
    "FILE",
    "none",
    "YAML file with any of these settings, and the limits of queues",
)
FLEET: Final[Option[str]] = Option(
    "fleet", values.name, "NAME", "the namespace", "value of the label fleet on every series"
)
QUEUES: Final[Option[tuple[str, ...]]] = Option(
    "queues", values.queues, "A,B", "none", "queues to publish even before they exist in Redis"
)
COLLECT_WORKERS: Final[Option[CollectWorkers]] = Option(
    "collect.workers", values.one_of("all", "host", "none"), "WHOSE", "all",
    "workers to publish: all, host (a sidecar: only those of this host) or none",
)  # fmt: skip
HOST: Final[Option[str]] = Option(
    "host",
    values.name,
    "NAME",
    "the host's name",
    "this host's name as its workers report it, for collect.workers=host",
)
METRICS_PREFIX: Final[Option[str]] = Option(
    "metrics.prefix",
    values.prefix,
    "PREFIX",
    DEFAULT_PREFIX,
    "prefix of all metric names",
)

#: In the order in which people read them.
OPTIONS: Final[tuple[Option[Any], ...]] = (
    REDIS_URL, REDIS_NAMESPACE, REDIS_WAIT, REDIS_HEARTBEAT_TIMEOUT, REDIS_DEAD_MESSAGE_TTL,
    WEB_LISTEN_ADDRESS, WEB_CONFIG_FILE, CONFIG_FILE, FLEET, QUEUES, COLLECT_WORKERS, HOST, METRICS_PREFIX,
)  # fmt: skip
