"""The ``limits`` of the YAML file: defaults, and what differs for single queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from bioagents_exporter.settings import values
from bioagents_exporter.settings.errors import SettingsError
from bioagents_exporter.settings.limits import Limits, QueueLimits
from bioagents_exporter.settings.yaml_file import Item

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


def limits(item: Item | None) -> Limits:
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
            f"{item.place} (line {item.line}): {bounds}: expected the minimum below the maximum"
        )
    return result
