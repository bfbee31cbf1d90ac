"""The board "Queue"."""
