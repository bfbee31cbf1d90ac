"""Derive: from a snapshot to families of series, without I/O; each subject's metrics are defined beside it.

Importing it needs no third-party package, so that the list of metrics is at hand in the base install.
"""

from bioagents_exporter.derive.family import Family, Key, Metric, Number
from bioagents_exporter.derive.redis import trouble
from bioagents_exporter.derive.run import Memory, derive, sample

__all__ = ["Family", "Key", "Memory", "Metric", "Number", "derive", "sample", "trouble"]
