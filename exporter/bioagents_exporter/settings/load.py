"""Flags, environment and YAML file become one validated value.

A flag takes precedence over the environment, that over the file, and that over the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from bioagents_exporter.settings import model, values, yaml_file
from bioagents_exporter.settings.errors import SettingsError, shown
from bioagents_exporter.settings.model import (
    CONFIG_FILE,
    OPTIONS,
    QUEUES,
    Limits,
    Option,
    QueueLimits,
    Settings,
)
from bioagents_exporter.settings.yaml_file import Item

T = TypeVar("T")
D = TypeVar("D")

#: Key of the file → field of QueueLimits and the parser of its value.
KEYS: Final[Mapping[str, tuple[str, Callable[[str], float]]]] = {
    "depth": ("depth", values.count),
    "wait": ("wait_seconds", values.duration),
    "drain": ("drain_seconds", values.duration),
    "failure-ratio": ("failure_ratio", values.ratio),
    "min-workers": ("min_workers", values.count),
    "max-workers": ("max_workers", values.count),
    "job-duration": ("job_duration_seconds", values.duration),
}


def load(flags: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The settings.

    Args:
        flags: what the command line gave, by key (``redis.url``).
        environ: the environment.

    Raises:
        SettingsError: a value, key or file that cannot be used.
    """
    raw = _from_environment(environ) | _from_flags(flags)
    path = Sources(raw).take(model.CONFIG_FILE, None)
    if path is None:
        return _settings(Sources(raw), Limits())
    file = yaml_file.read(path)
    raw = _from_file(file) | raw
    return _settings(Sources(raw), _limits(file.mapping().get("limits")))


def _settings(sources: Sources, queue_limits: Limits) -> Settings:
    default = Settings()
    take = sources.take
    return Settings(
        redis_url=take(model.REDIS_URL, default.redis_url),
        redis_wait=take(model.REDIS_WAIT, default.redis_wait),
        namespace=take(model.REDIS_NAMESPACE, default.namespace),
        fleet=take(model.FLEET, ""),
        prefix=take(model.METRICS_PREFIX, default.prefix),
        listen_address=take(model.WEB_LISTEN_ADDRESS, default.listen_address),
        web_config_file=take(model.WEB_CONFIG_FILE, default.web_config_file),
        queues=take(model.QUEUES, default.queues),
        collect_workers=take(model.COLLECT_WORKERS, default.collect_workers),
        heartbeat_timeout=take(model.REDIS_HEARTBEAT_TIMEOUT, default.heartbeat_timeout),
        dead_message_ttl=take(model.REDIS_DEAD_MESSAGE_TTL, default.dead_message_ttl),
        limits=queue_limits,
        host=take(model.HOST, default.host),
    )


@dataclass(frozen=True, slots=True)
class Raw:
    """The text of a setting, and the place where it was written."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The texts of the settings, by their keys."""

    raw: Mapping[str, Raw]

    def take(self, option: Option[T], default: D) -> T | D:
        """The parsed value; SettingsError names value, place and what was expected."""
        raw = self.raw.get(option.key)
        if raw is None:
            return default
        try:
            return option.parse(raw.text)
        except ValueError as error:
            raise SettingsError(f"{raw.place}: {shown(raw.text)}: {error}") from None


def _from_flags(flags: Mapping[str, str]) -> dict[str, Raw]:
    """``flags`` by key, as given on the command line."""
    return {key: Raw(text, f"--{key}") for key, text in flags.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Raw]:
    """An empty variable counts as not set: Compose and Kubernetes files pass those on."""
    raw = {}
    for option in OPTIONS:
        name = next((name for name in option.variables if environ.get(name)), None)
        if name:
            raw[option.key] = Raw(environ[name], f"${name}")
    return raw


def _from_file(item: Item) -> dict[str, Raw]:
    """The settings of a YAML file; ``limits`` has no flag and is read elsewhere."""
    keys = [option.key for option in OPTIONS if option is not CONFIG_FILE]
    return dict(_walk(item, "", [*keys, "limits"]))


def _walk(item: Item, parent: str, keys: list[str]) -> Iterator[tuple[str, Raw]]:
    known = dict.fromkeys(key[len(parent) :].split(".")[0] for key in keys if key.startswith(parent))
    for name, child in item.mapping(known).items():
        key = parent + name
        if key == "limits":
            continue
        if key in keys:
            yield key, Raw(_text(key, child), f"{child.place} (line {child.line})")
        else:
            yield from _walk(child, f"{key}.", keys)


def _text(key: str, item: Item) -> str:
    if key == QUEUES.key and isinstance(item.value, tuple):
        return ",".join(child.text() for child in item.items())
    return item.text()


def _limits(item: Item | None) -> Limits:
    """Checked limits; what the file leaves out keeps its default."""
    if item is None:
        return Limits()
    parts = item.mapping(("defaults", "queues"))
    defaults = _one(parts["defaults"], QueueLimits()) if "defaults" in parts else QueueLimits()
    queues = parts["queues"].mapping() if "queues" in parts else {}
    return Limits(
        defaults, MappingProxyType({_queue(name, one): _one(one, defaults) for name, one in queues.items()})
    )


def _queue(name: str, item: Item) -> str:
    try:
        return values.queue(name)
    except ValueError as error:
        raise SettingsError(f"{item.place} (line {item.line}): {name!r}: {error}") from None


def _one(item: Item, base: QueueLimits) -> QueueLimits:
    changes: dict[str, Any] = {}
    for key, child in item.mapping(KEYS).items():
        field, parse = KEYS[key]
        try:
            changes[field] = parse(child.text())
        except ValueError as error:
            raise child.error(str(error)) from None
    result = replace(base, **changes)
    if result.min_workers > result.max_workers:
        bounds = f"min-workers {result.min_workers}, max-workers {result.max_workers}"
        raise SettingsError(
            f"{item.place} (line {item.line}): {bounds}: expected a minimum not above the maximum"
        )
    return result
