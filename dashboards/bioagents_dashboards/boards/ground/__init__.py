"""The board "Redis and exporter"."""
