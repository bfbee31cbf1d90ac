"""The exporter, an application: ``bioagents exporter``. It has no public Python API."""
