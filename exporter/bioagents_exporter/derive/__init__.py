"""Derive: from a snapshot to families of series, without I/O; modules define the metrics they derive.

Importing it needs no third-party package, so that the list of metrics is available in the base install.
"""

from bioagents_exporter.derive.family import Family, Key, Metric, Number
from bioagents_exporter.derive.redis import trouble
from bioagents_exporter.derive.run import Memory, derive, sample

__all__ = ["Family", "Key", "Memory", "Metric", "Number", "derive", "sample", "trouble"]
