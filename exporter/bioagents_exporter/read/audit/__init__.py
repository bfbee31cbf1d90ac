"""What a scrape's budget does not allow to read: bounded steps in the background, round all queues."""

from bioagents_exporter.read.audit.auditor import Auditor

__all__ = ["Auditor"]
