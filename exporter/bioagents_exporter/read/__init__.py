"""From Redis to a :class:`~bioagents_exporter.read.snapshot.Snapshot`, read only: :class:`.reader.Reader`."""
