"""Where the text of a setting comes from: flags, then environment, then the YAML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bioagents_exporter.settings.errors import SettingsError
from bioagents_exporter.settings.hints import shown
from bioagents_exporter.settings.options import CONFIG_FILE, OPTIONS, QUEUES, Option
from bioagents_exporter.settings.yaml_file import Item

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Raw:
    """What somebody wrote, and where."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Sources:
    """All that was written about the settings, by their keys."""

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


def from_flags(flags: Mapping[str, str]) -> dict[str, Raw]:
    """``flags`` by key, as given on the command line."""
    return {key: Raw(text, f"--{key}") for key, text in flags.items()}


def from_environment(environ: Mapping[str, str]) -> dict[str, Raw]:
    """An empty variable counts as not set: Compose and Kubernetes files pass those on."""
    raw = {}
    for option in OPTIONS:
        name = next((name for name in option.variables if environ.get(name)), None)
        if name:
            raw[option.key] = Raw(environ[name], f"${name}")
    return raw


def from_file(item: Item) -> dict[str, Raw]:
    """The settings of a YAML file; ``limits`` is no setting of a flag and read elsewhere."""
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
