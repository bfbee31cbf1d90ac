"""From Redis to a :class:`~bioagents_exporter.read.snapshot.Snapshot`, by :class:`.reader.Reader`; read only."""
