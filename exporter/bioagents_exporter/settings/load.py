"""Flags, environment and file become one validated value."""

from __future__ import annotations

from collections.abc import Mapping

from bioagents_exporter.settings import options, yaml_file
from bioagents_exporter.settings.limits import Limits
from bioagents_exporter.settings.limits_file import limits
from bioagents_exporter.settings.model import Settings
from bioagents_exporter.settings.sources import Sources, from_environment, from_file, from_flags


def load(flags: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The settings; a flag wins over the environment, that over the file, that over the default.

    Args:
        flags: what the command line gave, by key (``redis.url``).
        environ: the environment.

    Raises:
        SettingsError: a value, key or file that cannot be used.
    """
    raw = from_environment(environ) | from_flags(flags)
    path = Sources(raw).take(options.CONFIG_FILE, None)
    if path is None:
        return _settings(Sources(raw), Limits())
    file = yaml_file.read(path)
    raw = from_file(file) | raw
    return _settings(Sources(raw), limits(file.mapping().get("limits")))


def _settings(sources: Sources, queue_limits: Limits) -> Settings:
    default = Settings()
    take = sources.take
    return Settings(
        redis_url=take(options.REDIS_URL, default.redis_url),
        redis_wait=take(options.REDIS_WAIT, default.redis_wait),
        namespace=take(options.REDIS_NAMESPACE, default.namespace),
        fleet=take(options.FLEET, ""),
        prefix=take(options.METRICS_PREFIX, default.prefix),
        listen_address=take(options.WEB_LISTEN_ADDRESS, default.listen_address),
        web_config_file=take(options.WEB_CONFIG_FILE, default.web_config_file),
        queues=take(options.QUEUES, default.queues),
        collect_workers=take(options.COLLECT_WORKERS, default.collect_workers),
        heartbeat_timeout=take(options.REDIS_HEARTBEAT_TIMEOUT, default.heartbeat_timeout),
        dead_message_ttl=take(options.REDIS_DEAD_MESSAGE_TTL, default.dead_message_ttl),
        limits=queue_limits,
        host=take(options.HOST, default.host),
    )
