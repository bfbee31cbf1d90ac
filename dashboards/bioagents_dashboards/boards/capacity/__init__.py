"""The board "Capacity": a row of verdicts, the queues, what scales, what suffices, what it costs."""
