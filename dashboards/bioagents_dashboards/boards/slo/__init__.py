"""The board "SLO"."""
