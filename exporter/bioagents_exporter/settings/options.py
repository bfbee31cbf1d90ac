"""Every setting once: flag, environment variable, key in the YAML file, default and meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from bioagents_exporter.settings import model, values
from bioagents_exporter.settings.redis_url import redis_url
from bioagents_exporter.settings.secret import Secret
from bioagents_worker.wire import parse_namespace

T = TypeVar("T")


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
        """Where the environment is looked into, the first one that is set counts."""
        return (self.variable, self.also) if self.also else (self.variable,)


REDIS_URL: Final[Option[Secret]] = Option(
    "redis.url", redis_url, "URL", model.DEFAULT_REDIS_URL, also="REDIS_URL",
    help="Redis of the fleet: redis://, rediss://, unix:// or redis+sentinel://host,host/name",
)  # fmt: skip
REDIS_NAMESPACE: Final[Option[str]] = Option(
    "redis.namespace",
    parse_namespace,
    "NAME",
    model.DEFAULT_NAMESPACE,
    "namespace of the application's RedisBroker",
)
REDIS_WAIT: Final[Option[bool]] = Option(
    "redis.wait", values.boolean, "", "false", "start although Redis cannot be reached, and keep trying"
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
    "where to serve; :9877 is every interface, port 0 any free port",
)  # fmt: skip
WEB_CONFIG_FILE: Final[Option[Path]] = Option(
    "web.config.file",
    values.file,
    "FILE",
    "none",
    "TLS and basic authentication, in the form of exporter-toolkit",
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
    "queues", values.queues, "A,B", "none", "queues to publish before anything of them is seen in Redis"
)
COLLECT_WORKERS: Final[Option[model.CollectWorkers]] = Option(
    "collect.workers", values.one_of("all", "host", "none"), "WHOSE", "all",
    "whose worker_* series: all, host (a sidecar: this host's alone) or none",
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
    model.DEFAULT_PREFIX,
    "what the name of every metric begins with",
)

#: In the order in which people read them.
OPTIONS: Final[tuple[Option[Any], ...]] = (
    REDIS_URL, REDIS_NAMESPACE, REDIS_WAIT, REDIS_HEARTBEAT_TIMEOUT, REDIS_DEAD_MESSAGE_TTL,
    WEB_LISTEN_ADDRESS, WEB_CONFIG_FILE, CONFIG_FILE, FLEET, QUEUES, COLLECT_WORKERS, HOST, METRICS_PREFIX,
)  # fmt: skip
