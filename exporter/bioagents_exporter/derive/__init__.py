"""Derive: from a snapshot to families of series, without I/O."""

from bioagents_exporter.derive.family import Family, Key, Number
from bioagents_exporter.derive.memory import Memory
from bioagents_exporter.derive.redis import trouble
from bioagents_exporter.derive.run import derive, sample

__all__ = ["Family", "Key", "Memory", "Number", "derive", "sample", "trouble"]
